"""The processes of a measurement: what is measured has one core to itself, everything else has the other."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

_CORES = sorted(os.sched_getaffinity(0))
MEASURED = {_CORES[-1]}
"""The core of what is measured."""
BESIDE = set(_CORES[:-1]) or MEASURED
"""Where load, databases and vendors run."""


def step_beside() -> None:
    """Leave the measured core to what is measured; what this process starts from now on does too."""
    os.sched_setaffinity(0, BESIDE)


def step_everywhere() -> None:
    """Take back what `step_beside` gave up: where several processes of ours are measured, there is no core of one."""
    os.sched_setaffinity(0, set(_CORES))


def _on_measured_core() -> None:
    os.sched_setaffinity(0, MEASURED)


@asynccontextmanager
async def measured(
    arguments: Sequence[str], *, port: int, ready: str, environment: Mapping[str, str], log: Path, alone: bool = True
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m …` on the measured core until the block ends. `ready`: the path that answers once it serves.

    `alone` False: on whatever core there is. Raises RuntimeError where it does not start.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AI_ADMIN_")}
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, env={**kept, **environment}, cwd=log.parent,
            stdout=asyncio.subprocess.DEVNULL, stderr=written, preexec_fn=_on_measured_core if alone else None,
        )  # fmt: skip
    try:
        await _until_ready(f"http://127.0.0.1:{port}{ready}", process, log)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _until_ready(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while process.returncode is None:
            try:
                async with http.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    written = log.read_text(errors="replace")  # noqa: ASYNC240 (it has ended)
    raise RuntimeError(f"{url} did not come up: {written[-2000:]}")


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has taken (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Return the memory that a process has now, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} is gone")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
