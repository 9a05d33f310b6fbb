"""Workers beside a gateway, on the stores of one shop: what several processes of ours do and take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bench.system import free_port, measured
from bench.turns import Shop

GATEWAY = ("bot", "gateway")


@asynccontextmanager
async def worker_of(
    shop: Shop, *, more: Mapping[str, str] | None = None, alone: bool = True
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one more worker of a shop until the block ends. `more`: settings that differ; `alone`: bench/system.py."""
    port = free_port()
    environment = {**shop.environment, "AI_ADMIN_WORKER_METRICS_PORT": str(port), **(more or {})}
    async with measured(
        ("bot", "worker"),
        port=port,
        ready="/ready",
        environment=environment,
        log=shop.folder / f"worker-{port}.log",
        alone=alone,
    ) as process:
        yield process
