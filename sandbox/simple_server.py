"""What local CRMs with a diary have in common: listening, the staff's side, planted failures, what was asked."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.business import Business
from sandbox.diary import Diary
from sandbox.faults import Fault, Faults
from sandbox.staff_side import Json, Visit


class DiaryServer:
    """The half of CRMSandbox that has nothing to do with the vendor; `operations` names the calls that failures hit:
    method, a part of the path, a word of the query or body."""

    operations: Mapping[str, tuple[str, str, str]]

    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self.faults = Faults()
        self.asked: deque[Json] = deque(maxlen=5000)
        self.misread: list[Json] = []
        self._url = ""
        self._runner: web.AppRunner | None = None

    def add_routes(self, application: web.Application) -> None:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return self._url

    @property
    def business(self) -> Business:
        return self.diary.business

    @property
    def calls(self) -> Sequence[Json]:
        return tuple(self.asked)

    @property
    def violations(self) -> Sequence[Json]:
        return self.misread

    @property
    def changed(self) -> asyncio.Condition:
        return self.diary.changed

    @property
    def seq(self) -> int:
        return self.diary.seq

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        application = web.Application()
        self.add_routes(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self._url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self._url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def fail(self, operation: str, **fault: Any) -> Fault:
        method, path, word = self.operations[operation]
        return self.faults.plant(path, method=method, word=word, **fault)

    def list_visits(self) -> tuple[Visit, ...]:
        return self.diary.visits()

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        return self.diary.book_by_hand(master=master, service=service, starts=starts, client=client, phone=phone)

    def move_by_hand(self, record_id: str, starts: datetime) -> None:
        self.diary.move_by_hand(record_id, starts)

    def cancel_by_hand(self, record_id: str) -> None:
        self.diary.cancel_by_hand(record_id)

    def add_client(self, name: str, phone: str) -> str:
        return self.diary.add_client(name, phone)
