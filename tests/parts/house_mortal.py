"""A worker that dies at a step that the test names, and one that is started anew after it.

A step is what is felt outside of the process: a commit that writes something, or a call of a vendor. Who is dead takes
none any more, whatever its code still has to clean up; what the process kept in its memory is gone, its leases stay
until they run out. Redis is no step: it may lose all that it holds (test_redis_wipe.py).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from contextvars import ContextVar
from datetime import timedelta
from functools import partial

import aiohttp
import httpx

from bot.attempts import Attempts
from bot.lane import LEASE
from bot.worker_app import open_worker
from db.errors import DatabaseUnavailable
from db.intake import Intake
from db.seats import Seat
from sandbox.telegram.files import SIGNS

SENDING = frozenset({"sendMessage", "sendPhoto", "sendVoice", "sendVideo", "sendDocument"})
"""What Telegram has no key for that would tell a second call from a repeated one."""


class Killed(BaseException):
    """The process died here: nothing that only looks for errors hears of it."""


class Life:
    """One piece of work of a process that may die on its way: before its first step (0) or right after another.

    Between two steps nothing is felt outside: right before one is right after the one before it.
    """

    def __init__(self, dies_after=None):
        self.dies_after = dies_after
        self.steps = []
        self.dead = False

    async def take(self, name, act):
        if self.dead:
            raise Killed(name)
        if self.dies_after == 0:
            self._die(name)
        self.steps.append(name)
        now = len(self.steps) == self.dies_after
        outcome = await act()
        if now:
            self._die(name)
        return outcome

    def _die(self, name):
        self.dead = True
        raise Killed(name)


_life = ContextVar("life", default=None)
"""Whose code runs; None: the test's own, a vendor's or the gateway's."""


def count_steps(monkeypatch):
    """Let every commit that writes and every call of a vendor be a step of whoever makes it."""
    say, of_aiohttp, of_httpx = Seat.say, aiohttp.ClientSession._request, httpx.AsyncClient.send

    async def committed(seat, words):
        life = _life.get()
        # Only what has written has a transaction id (PostgreSQL, "Transaction ID and Snapshot Information Functions").
        if life is None or words != "COMMIT" or await _is_nothing(seat, life):
            return await say(seat, words)
        return await life.take("COMMIT", partial(say, seat, words))

    async def _is_nothing(seat, life):
        return not life.dead and await seat.driver.fetchval("SELECT pg_current_xact_id_if_assigned()") is None

    async def asked(session, method, url, **more):
        act = partial(of_aiohttp, session, method, url, **more)
        life = _life.get()
        return await (act() if life is None else life.take(str(url).partition("?")[0].rpartition("/")[2], act))

    async def sent(client, request, **more):
        act = partial(of_httpx, client, request, **more)
        life = _life.get()
        return await (act() if life is None else life.take(f"{request.method} {request.url.path}", act))

    monkeypatch.setattr(Seat, "say", committed)
    monkeypatch.setattr(aiohttp.ClientSession, "_request", asked)
    monkeypatch.setattr(httpx.AsyncClient, "send", sent)


class Gateway:
    """The way in. `dies`: at each new update it dies once, "before" it is stored or "after" it; Telegram asks again."""

    def __init__(self, monkeypatch):
        self.dies, self._died, accept = None, set(), Intake.accept

        async def mortal(intake, channel, updates, **more):
            key = tuple(one.update_key for one in updates)
            dies = self.dies if key not in self._died else None
            self._died.add(key)
            if dies == "before":
                raise DatabaseUnavailable("the process died")
            stored = await accept(intake, channel, updates, **more)
            if dies == "after":
                raise DatabaseUnavailable("the process died")
            return stored

        monkeypatch.setattr(Intake, "accept", mortal)


class MortalWorker:
    """Does what is due in a house whose worker does nothing by itself. Each kind of work of each dialogue dies once."""

    def __init__(self, house, app, kinds):
        self.house, self.core, self.kinds = house, house.core, kinds
        self.step = None
        """After which step of each piece of work it dies; None: it lives."""
        self.died = 0
        """How often, since the test last put it to 0."""
        self.twice = Counter()
        """The texts that Telegram took and nobody could keep: they come once more (docs/reliability.md)."""
        self.topics_left = 0
        """Topics that were made and could not be kept."""
        self._app, self._lived, self._dead = app, AsyncExitStack(), []

    async def settles(self, *kinds, within=timedelta(seconds=6)):
        """Do all that is due now, and within so long (`kinds`: of these alone); die once at this step of each piece."""
        await self.house.settles_webhooks()
        over, died = set(), set()
        kinds, until = kinds or self.kinds, self.core.clock() + within
        while True:
            busy = False
            for kind in kinds:
                while claims := await self.core.work.claim("worker", limit=1, ttl=LEASE, kind=kind):
                    busy = True
                    [claim] = claims
                    what = (kind, claim.dialogue_id, claim.subject_id)
                    life = Life(None if what in over else self.step)
                    await self._do(claim, life)
                    over.add(what)
                    if life.dead:
                        died.add(what)
                        # Whoever dies at a later piece of work may take a while longer than was thought.
                        until += LEASE + timedelta(seconds=1)
            await self.house.settles_webhooks()
            if busy:
                continue
            dues = [due for kind in kinds if (due := await self.core.work.next_due_in(kind)) is not None]
            if not dues or self.core.clock() + min(dues) > until:
                self.died += len(died)
                return
            self.core.clock.advance(min(dues))

    async def _do(self, claim, life):
        job, token = self._app.jobs[claim.kind], _life.set(life)
        try:
            await Attempts(job, self.core.work, self.core.clock).make(claim, partial(job, claim))
        except BaseException:
            if not life.dead:
                raise
        finally:
            _life.reset(token)
        if life.dead:
            self._keep_what_is_uncertain(life)
            await self._starts_anew()

    def _keep_what_is_uncertain(self, life):
        last = life.steps[-1] if life.steps else ""
        if last in SENDING:
            asked = next(one for one in reversed(self.house.vendors.telegram.calls) if one["method"] == last.lower())[
                "parameters"
            ]
            self.twice[str(asked["chat_id"]), asked.get("text") or asked.get("caption") or SIGNS["photo"]] += 1
        elif last == "createForumTopic":
            self.topics_left += 1

    async def _starts_anew(self):
        """Let another process come, when the leases of the dead one have run out."""
        # aiogram waits a quarter of a second for each to close.
        self._dead.append(asyncio.create_task(self._lived.aclose()))
        self._lived = AsyncExitStack()
        self.core.directory.forget(self.house.company_id)
        self._app = await self._lived.enter_async_context(open_worker(self.core))
        self.core.clock.advance(LEASE + timedelta(seconds=1))

    async def ends(self):
        await asyncio.gather(*self._dead)
        await self._lived.aclose()
