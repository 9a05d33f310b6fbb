"""How long a process takes until it serves, and the demo until it has answered; what the gateway's imports cost."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from bench.system import free_port, measured, rss_mb, step_beside
from db.embedded import start_embedded

ROUNDS = 5
_PERSON, _HELLO = 700_001, "Здравствуйте! Сколько стоит женская стрижка?"
_LONGEST_REPLY_S = 60.0
_ROOT = Path(__file__).parent.parent
_IMPORT = "import time; t = time.perf_counter(); import bot.app; print((time.perf_counter() - t) * 1000)"


async def measure(*, rounds: int = ROUNDS) -> dict[str, float]:
    """Start processes again and again on stores that run, and return the medians."""
    # The demo first, on all cores: it is somebody's whole machine.
    demo = [await _demo_first_reply_s() for _ in range(rounds)]
    step_beside()
    imports = [await _imports_ms() for _ in range(rounds)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ai-admin-bench-")))
        servers = (await stack.enter_async_context(await start_embedded(folder / "servers"))).servers
        environment = {
            "AI_ADMIN_DATA_DIR": str(folder),
            "AI_ADMIN_DATABASE_URL": servers.database_url,
            "AI_ADMIN_REDIS_URL": servers.redis_url,
            "PYTHONPATH": str(_ROOT),
        }
        # The first one brings the schema up.
        await _start_s("serve", environment, folder)
        serve = [await _start_s("serve", environment, folder) for _ in range(rounds)]
        gateway = [await _start_s("gateway", environment, folder) for _ in range(rounds)]
    return {
        "cold_start_s": round(median(took for took, _ in serve), 2),
        "cold_start_gateway_s": round(median(took for took, _ in gateway), 2),
        "demo_first_reply_s": round(median(demo), 2),
        "import_ms": round(median(imports)),
        "rss_gateway_mb": round(median(memory for _, memory in gateway)),
    }


async def _demo_first_reply_s() -> float:
    """Start the demo with nothing but an installation, write to its bot, and return when it was answered."""
    with TemporaryDirectory(prefix="ai-admin-bench-") as place:
        folder, port, began = Path(place), free_port(), time.perf_counter()
        demo = measured(
            ("bot", "demo", "--port", str(port)),
            port=port, ready="/", environment={"AI_ADMIN_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(_ROOT)},
            log=folder / "demo.log", alone=False,
        )  # fmt: skip
        people = f"http://127.0.0.1:{port}/sandbox/telegram/bots"
        async with demo, aiohttp.ClientSession(raise_for_status=True) as http, asyncio.timeout(_LONGEST_REPLY_S):
            async with http.get(people) as answer:
                [bot] = await answer.json()
            chat = f"{people}/{bot['id']}/chats/{_PERSON}"
            async with http.post(chat, json={"do": "text", "text": _HELLO, "first_name": "Anna"}):
                pass
            shown: dict[str, Any] = {"seq": 0, "messages": []}
            while not any(one["from_bot"] for one in shown["messages"]):
                async with http.get(chat, params={"after": shown["seq"], "wait": 20}) as answer:
                    shown = await answer.json()
            return time.perf_counter() - began


async def _imports_ms() -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _IMPORT, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return float(out)


async def _start_s(role: str, environment: dict[str, str], folder: Path) -> tuple[float, float]:
    """Return how long it took until /ready answered, and the memory of the process then."""
    port, began = free_port(), time.perf_counter()
    more = {**environment, "AI_ADMIN_PORT": str(port)}
    async with measured(
        ("bot", role), port=port, ready="/ready", environment=more, log=folder / f"{role}.log"
    ) as process:
        return time.perf_counter() - began, rss_mb(process.pid)
