"""A recovery drill: an installation under load is backed up, lost, and brought back on another server.

What had been acknowledged to a messenger before the backup began must be there and answered afterwards. What was
acknowledged between the backup and the loss is gone with the server: the drill counts it, and docs/backup.md says what
keeps it (the server's own archiving of its log).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.chaos.evidence import Stored, read_stored
from bench.chaos.fleet import free_port
from bench.upgrades.crowd import crowd_of
from bench.upgrades.dumps import back_up, restore
from bench.upgrades.installation import Installation, open_installation
from bench.upgrades.processes import Processes, open_processes
from bench.upgrades.servers import open_servers
from db.embedded import Embedded

_SETTLES_WITHIN_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """What each step took. `recovery`: from the loss to the last answer to what had waited."""

    dump: float
    new_server: float
    restore: float
    processes: float
    backlog: float

    @property
    def recovery(self) -> float:
        return self.new_server + self.restore + self.processes + self.backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`missing`: updates acknowledged before the backup began that are not stored, or not done, in the end: must be 0.

    `after_the_dump`: acknowledged later than that and not in the backup. `done_again`: answered before the loss and, as
    the backup does not know it, once more after it. `rest`: what is still under way in the end: must be empty.
    """

    acknowledged: int
    missing: int
    after_the_dump: int
    done_again: int
    rest: dict[str, int]
    dump_bytes: int
    seconds: Seconds

    @property
    def passed(self) -> bool:
        return not self.missing and not self.rest and self.acknowledged > 0

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "recovery_s": round(self.seconds.recovery, 1), **asdict(self)}


async def drill(folder: Path, *, messages: int) -> Findings:
    """Do it. `messages`: how many are written before the backup, and as many between it and the loss."""
    port, file = free_port(), folder / "backup.dump"
    async with open_servers(folder / "old") as old:
        servers = old.servers
        async with (
            open_installation(
                database_url=servers.database_url,
                redis_url=servers.redis_url,
                public_url=f"http://127.0.0.1:{port}",
                folder=folder,
                companies=3,
            ) as installation,
            open_processes({**installation.settings, "drain_seconds": 0}, folder) as processes,
        ):
            await _start(processes, port)
            async with crowd_of(installation, bookers=2, askers=4) as crowd:
                await crowd.writes(messages)
                acknowledged = installation.acknowledged()
                dumping = time.monotonic()
                await asyncio.to_thread(back_up, servers.database_url, file)
                dumped = time.monotonic()
                await crowd.writes(messages)
                before = await read_stored(servers.database_url)
                await _lose(old, processes)
            lost = time.monotonic()
            async with open_servers(folder / "new") as new:
                return await _recover(
                    new,
                    replace(installation, settings={**installation.settings, **_addresses(new)}),
                    processes,
                    port=port,
                    file=file,
                    acknowledged=acknowledged,
                    before=before,
                    dump_s=dumped - dumping,
                    lost=lost,
                )


async def _recover(
    new: Embedded,
    installation: Installation,
    processes: Processes,
    *,
    port: int,
    file: Path,
    acknowledged: set[int],
    before: Stored,
    dump_s: float,
    lost: float,
) -> Findings:
    served = time.monotonic()
    at_the_loss = installation.acknowledged()
    await asyncio.to_thread(restore, new.servers.database_url, file)
    restored = time.monotonic()
    found = await read_stored(new.servers.database_url)
    processes.settings = {**processes.settings, **_addresses(new)}
    await _start(processes, port)
    up = time.monotonic()
    rest = await installation.settle(within_s=_SETTLES_WITHIN_S)
    settled = time.monotonic()
    after = await read_stored(new.servers.database_url)

    dump_bytes = (await asyncio.to_thread(file.stat)).st_size
    done_before = {update.key for update in before.updates if update.done_at is not None}
    waiting_in_dump = {update.key for update in found.updates if update.done_at is None}
    done_after = {update.key for update in after.updates if update.done_at is not None}
    return Findings(
        acknowledged=len(acknowledged),
        missing=len(acknowledged - done_after),
        after_the_dump=len(at_the_loss - {update.key for update in found.updates}),
        done_again=len(done_before & waiting_in_dump),
        rest=rest,
        dump_bytes=dump_bytes,
        seconds=Seconds(
            dump=dump_s,
            new_server=served - lost,
            restore=restored - served,
            processes=up - restored,
            backlog=settled - up,
        ),
    )


async def _start(processes: Processes, port: int) -> None:
    """Start a gateway at this port and two workers, and wait until they are ready."""
    started = [await processes.start("gateway", port=port), *[await processes.start("worker") for _ in range(2)]]
    for process in started:
        await process.wait_up()


async def _lose(embedded: Embedded, processes: Processes) -> None:
    """Let the machine burn: nothing is written any more, and nothing is given back."""
    await processes.kill_all()
    for pid in (embedded.postgres_pid, embedded.redis_pid):
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def _addresses(embedded: Embedded) -> dict[str, str]:
    return {"database_url": embedded.servers.database_url, "redis_url": embedded.servers.redis_url}
