"""The demo as a process: its self test, what it says of its start, and how it loads the SDKs."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

import pytest

pytestmark = pytest.mark.timeout(300)
LOADED = """
import asyncio, json, sys
if sys.argv[1] == "quickly":
    from bot.sdks import load_sdks
    asyncio.run(load_sdks())
import aiogram.methods, aiogram.types
from aiogram.methods.base import Response
from pydantic import BaseModel

update = {"update_id": 1, "message": {"message_id": 2, "date": 1700000000, "text": "Привет",
          "chat": {"id": 3, "type": "private"}, "from": {"id": 3, "is_bot": False, "first_name": "Елена"}}}
models = [getattr(module, name) for module in (aiogram.types, aiogram.methods) for name in module.__all__]
models = [one for one in models if isinstance(one, type) and issubclass(one, BaseModel)]
print(json.dumps({
    "update": aiogram.types.Update.model_validate(update).model_dump_json(),
    "answer": repr(Response[aiogram.types.Message].model_validate({"ok": True, "result": update["message"]})),
    "built": sum(one.__pydantic_complete__ for one in models),
    "unbuildable": [one.__name__ for one in models if one.model_rebuild() is False],
    "patched": BaseModel.model_rebuild.__func__.__module__ != "pydantic.main",
}))
"""


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


async def test_the_sdk_that_is_loaded_quickly_reads_and_writes_the_same():
    async def loaded(how):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LOADED, how, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return json.loads(out)

    usual, quick = await loaded("usually"), await loaded("quickly")

    assert (quick["update"], quick["answer"]) == (usual["update"], usual["answer"])
    assert quick["unbuildable"] == []
    assert quick["built"] < usual["built"] / 2
    assert not quick["patched"]
