"""The set-up of a machine: what was downloaded is told apart from the rest, by uv's own report."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

INSTALL = Path(__file__).parents[1] / "deploy" / "install.sh"
UV = """#!/bin/sh
case "$*" in *--quiet*) exit 0 ;; esac
cat >&2 <<'REPORT'
{report}
REPORT
exit {code}
"""


@pytest.fixture
def install(tmp_path):
    """Run the script on a virtual environment whose uv reports what the test says."""

    async def run(report, *, code=0):
        uv = tmp_path / "bin" / "uv"
        uv.parent.mkdir()
        uv.write_text(UV.format(report=report, code=code))
        uv.chmod(0o755)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "bash", str(INSTALL), "python3", str(tmp_path), "the.lock", stdout=pipe, stderr=pipe
        )
        out, errors = await process.communicate()
        return process.returncode, out.decode(), errors.decode()

    return run


@pytest.mark.parametrize(
    ("report", "seconds"),
    [
        ("Resolved 73 packages in 500ms\nPrepared 73 packages in 1m 02s\nInstalled 73 packages in 30s", "125.0"),
        ("Resolved 73 packages in 250ms\nPrepared 1 package in 2.25s", "5.0"),
        ("Checked 73 packages in 9s", "0.0"),
    ],
)
async def test_what_uv_asked_and_fetched_is_no_part_of_the_set_up(install, report, seconds):
    code, out, errors = await install(report)

    assert (code, errors) == (0, "")
    # Two calls report: the locked packages, and what builds the link to this project.
    assert f"and {seconds} s of downloads" in out


async def test_a_failed_download_is_shown_as_uv_says_it(install):
    code, out, errors = await install("error: no route to the index", code=2)

    assert code == 1
    assert errors == "error: no route to the index\n"
    assert out == ""
