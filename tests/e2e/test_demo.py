"""The demo as a process: its self test, and what it says of its start."""

from __future__ import annotations

import re
import time

import pytest

pytestmark = pytest.mark.timeout(300)


async def test_the_self_test_books_and_tells_how_long_the_start_took_as_a_clock_on_the_wall_does(start):
    begun = time.monotonic()
    process = await start("demo", "--self-test")
    async for line in process.stdout:
        if found := re.search(r"started in (\d+\.\d) s", line.decode()):
            waited = time.monotonic() - begun
            break
    out, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    assert "SELF TEST OK" in out.decode()
    assert float(found[1]) == pytest.approx(waited, abs=1.5)
