"""The doors that are no messenger's: what CRMs tell, and `POST /process`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from bench.fuzz import recorded
from bench.fuzz.drive import drive
from bench.fuzz.house import House, side_by_side
from bench.fuzz.near import Chance, body, encoded, form, put_in
from bench.fuzz.tally import Tally
from db.booking_models import crm_hooks
from db.records import WorkKind

BATCH = 24
_TYPES = (
    "application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "", "x",
    "a/b; c=\xff", "application/json; charset=nothing", "multipart/form-data; boundary=" + "x" * 300,
)  # fmt: skip
_ODD_HEADERS = ("\xff", "\xd0\xbf", "x" * 6000, "", " ", "t" * 32, "%00", "\x7f")


@dataclass(slots=True)
class Hooks:
    """A CRM's address: whatever is told there is kept, looked into, and forgotten."""

    house: House
    tally: Tally

    async def play(self, chance: Chance) -> None:
        house = self.house
        house.clock.advance(timedelta(minutes=1))
        sent = [self._made(chance) for _ in range(BATCH)]
        statuses = await side_by_side([self._post(*one) for one in sent])
        self.tally.inputs += len(sent)
        kept, taken = await self._waiting(), statuses.count(200)
        if kept != taken:
            self.tally.lose(f"{taken} were taken, {kept} are kept", of=[one[:300] for one, _ in sent])
        await house.settle(WorkKind.CRM)
        for failure in house.take_failures():
            self.tally.stick("the worker fails", of=(failure, [one[:300] for one, _ in sent]))
        if left := await self._waiting():
            self.tally.stick(f"{left} were not looked into", of=[one[:300] for one, _ in sent])

    def _made(self, chance: Chance) -> tuple[bytes, Mapping[str, str]]:
        made = encoded(form(chance, recorded.hook_forms())) if chance.one_in(3) else body(chance, recorded.hooks())
        headers = {"Content-Type": chance.of(_TYPES)}
        for number in range(chance.of((0, 0, 0, 1, 2, 25))):
            headers[chance.of(("X-AI-Admin-Secret", f"X-Own-{number}", "x-"))] = chance.of(_ODD_HEADERS)
        return put_in(made, client=1, number=self.house.new_number()), headers

    async def _post(self, made: bytes, headers: Mapping[str, str]) -> int:
        status, _ = await self.house.post(f"/v1/crm/webhook/{self.house.crm_token}", made, headers)
        if status >= 500:
            self.tally.server_error(str(status), of=(headers, made[:1200]))
        return status

    async def _waiting(self) -> int:
        async with self.house.core.database.company(self.house.company_id) as tx:
            found = await tx.connection.scalar(
                select(func.count()).select_from(crm_hooks).where(crm_hooks.c.company_id == self.house.company_id)
            )
        return int(found or 0)


@dataclass(slots=True)
class OwnChannel:
    """`POST /process`: refused with a reason, or stored and answered."""

    house: House
    tally: Tally
    stored: set[str] = field(default_factory=set)

    async def play(self, chance: Chance) -> None:
        house = self.house
        house.clock.advance(timedelta(minutes=1))
        began, client = house.clock(), house.new_client()
        made = [body(chance, recorded.process()) for _ in range(BATCH)]
        # Half of them are the same client's; who waits for an answer is told by a bell of the client's own.
        whose = [client if chance.one_in(2) else house.new_client() for _ in made]
        sent = [put_in(one, client=who, number=house.new_number()) for one, who in zip(made, whose, strict=True)]
        words = json.dumps(recorded.process()[0]).encode()
        last = put_in(words, client=client, number=house.new_number())
        answers = await self._answered(sent)
        [(status, answer)] = await self._answered([last])
        self.tally.inputs += len(sent)
        rows, held = await house.stored_since(house.doors["api"].channel, began)
        keys = [row["update_key"] for row in rows]
        for one, (answered, told) in zip(sent, answers, strict=True):
            if answered in (200, 202):
                # The same id again, be it another client's, is the same message by the caller's own word.
                times = keys.count(key := json.loads(told)["message_id"]) + (key in self.stored)
                if times != 1:
                    self.tally.lose(f"stands there {times} times", of=one[:1500])
        self.stored.update(keys)
        for failure in house.take_failures():
            self.tally.stick("the worker fails", of=failure)
        if status != 200 or json.loads(answer)["status"] != "answered" or held:
            self.tally.stick(f"a message after it is not answered: {status}", of=[one[:400] for one in sent])

    async def _answered(self, sent: list[bytes]) -> list[tuple[int, bytes]]:
        """Post these while the worker works."""
        posting = asyncio.ensure_future(side_by_side([self._post(one) for one in sent]))
        while not posting.done():
            for dialogue_id in await self.house.settle():
                # As the delivery of a reply does; one bell wakes one who waits.
                for _ in sent:
                    await self.house.core.answers.ring(dialogue_id)
            await asyncio.wait([posting], timeout=0.05)
        return await posting

    async def _post(self, made: bytes) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.house.doors['api'].token}"}
        status, answer = await self.house.post("/process", made, headers)
        if status >= 500:
            self.tally.server_error(str(status), of=made[:1500])
        return status, answer


async def fuzz_hooks(house: House, *, inputs: int, seed: int) -> Tally:
    return await _fuzz("CRM webhook", Hooks, house, inputs, seed)


async def fuzz_process(house: House, *, inputs: int, seed: int) -> Tally:
    return await _fuzz("POST /process", OwnChannel, house, inputs, seed)


async def _fuzz(name: str, player: Any, house: House, inputs: int, seed: int) -> Tally:
    tally, began = Tally(target=name), time.monotonic()
    await drive(player(house, tally).play, count=max(1, inputs // BATCH), seed=seed)
    tally.seconds = time.monotonic() - began
    return tally
