"""One salon in a 1C base behind OData: the server, and what its staff see and do in their own forms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.business import Business
from sandbox.faults import Fault
from sandbox.one_c.odata.base import Infobase
from sandbox.one_c.odata.configuration import Configuration, find_or_add
from sandbox.one_c.odata.plain import Plain
from sandbox.one_c.odata.server import OData
from sandbox.staff_side import Connection, Json, Visit

USER, PASSWORD = "Робот записи", "sandbox-password"


class OneCODataSalon:
    """A server with one salon in it (see CRMSandbox), in a configuration's names; `mapping` overrides the ready one."""

    def __init__(
        self,
        business: Business,
        *,
        clock: Callable[[], datetime] | None = None,
        configuration: type[Configuration] = Plain,
        mapping: str | None = None,
        path: str = "/salon",
    ) -> None:
        self.business = business
        self.configuration = configuration(business)
        self.mapping = mapping or configuration.mapping
        self.url = ""
        self._clock = clock or (lambda: datetime.now(UTC))
        self._path = path
        self.base = Infobase(configuration.sets, now=self._wall_clock, written=self.configuration.written)
        self.configuration.fill(self.base, self._wall_clock().date())
        self.odata = OData(self.base, path=path, user=USER, password=PASSWORD)
        self._runner: web.AppRunner | None = None

    @property
    def calls(self) -> Sequence[Json]:
        return tuple(self.odata.calls)

    @property
    def violations(self) -> Sequence[Json]:
        return self.odata.violations

    @property
    def changed(self) -> asyncio.Condition:
        return self.odata.changed

    @property
    def seq(self) -> int:
        return self.odata.seq

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        application = web.Application()
        self.odata.add_routes(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def connection(self) -> Connection:
        options = {"interface": "odata", "base_url": f"{self.url}{self._path}", "user": USER, "mapping": self.mapping}
        return Connection(
            type="1c",
            options=options,
            secrets={"password": PASSWORD},
            wrong_secrets={"password": "wrong-password"},
        )

    def fail(self, operation: str, **fault: Any) -> Fault:
        method, path, word = self.configuration.calls[operation]
        return self.odata.faults.plant(path, **{"method": method, "word": word, **fault})

    def list_visits(self) -> tuple[Visit, ...]:
        rows = self.base.rows[self.configuration.visits].values()
        visits = [self.configuration.visit_of(self.base, row) for row in rows]
        return tuple(sorted(visits, key=lambda visit: visit.starts))

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        done = next(one for one in self.business.services if one.title == service)
        return self.configuration.book(
            self.base,
            done,
            master=self.configuration.key_of(self.base, self.configuration.staff, master),
            client=find_or_add(self.configuration, self.base, client, phone),
            starts=starts,
            minutes=done.minutes,
        )

    def move_by_hand(self, record_id: str, starts: datetime) -> None:
        self.configuration.move(self.base, record_id, starts)

    def cancel_by_hand(self, record_id: str) -> None:
        self.configuration.cancel(self.base, record_id)

    def add_client(self, name: str, phone: str) -> str:
        return self.configuration.add_client(self.base, name, phone)

    def _wall_clock(self) -> datetime:
        return self._clock().astimezone(self.business.zone).replace(tzinfo=None)
