"""Any interleaving of accepting, claiming, crashing, failing, retrying and delivering: nothing lost, nothing twice.

Hypothesis drives the real stores through steps in whatever order it can think of; at the end everything is settled and
held against what was accepted. Time is the injected clock's.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bot.app import open_core
from db.errors import LeaseLost
from db.outbox import Outbox
from db.records import (
    Accepted,
    AgentSettings,
    Branch,
    BranchId,
    ChannelType,
    Claim,
    Company,
    CompanyId,
    Dialogue,
    WorkKind,
    dialogue_id_of,
    new_id,
)

LEASE = timedelta(seconds=12)
EXAMPLES = int(os.environ.get("ENGINE_EXAMPLES", "25"))
PEOPLE = ("1:1:", "2:2:", "3:3:")

people = st.sampled_from(PEOPLE)
keys = st.lists(st.integers(0, 30), min_size=1, max_size=5)
which = st.integers(0, 1000)


class Killed(Exception):
    """The process died here."""


@dataclass
class Held:
    """A claim that somebody has, or thinks they have."""

    claim: Claim
    until: object
    over: bool = False


@dataclass
class Book:
    """What must be true at the end."""

    accepted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    processed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    replies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    may_be_twice: set[str] = field(default_factory=set)


class Engine(RuleBasedStateMachine):
    """Workers of one installation, and clients of one channel of a company of its own."""

    def __init__(self, runner, core, clock):
        super().__init__()
        self.runner = runner
        self.core = core
        self.clock = clock
        self.outbox = Outbox(clock)
        self.book = Book()
        self.held = []
        self.channel = runner.run(self.make_channel())
        self.names = {dialogue_id_of(self.channel.id, key): key for key in PEOPLE}

    async def make_channel(self):
        company = Company(id=CompanyId(new_id()), slug=f"c{new_id().hex}", name="c")
        branch = Branch(id=BranchId(new_id()), key="main", name="c", time_zone="UTC")
        await self.core.companies.create_company(company, AgentSettings(), [branch])
        made, _ = await self.core.companies.add_channel(
            company.id, ChannelType.API, external_id=company.slug, name="c", options={}, secrets={}
        )
        return made

    # ---- what happens

    @rule(key=people, numbers=keys, urgent=st.booleans(), together=st.booleans())
    def accept(self, key, numbers, urgent, together):
        updates = [Accepted(update_key=f"{key}{n}", dialogue_key=key, payload=b"{}", urgent=urgent) for n in numbers]
        groups = [updates] if together else [[update] for update in updates]

        async def store():
            calls = (self.core.intake.accept(self.channel, one, quiet=timedelta(seconds=1)) for one in groups)
            return sum(await asyncio.gather(*calls))

        fresh = [one for one in dict.fromkeys(u.update_key for u in updates) if one not in self.book.accepted[key]]
        assert self.runner.run(store()) == len(fresh)
        self.book.accepted[key] += fresh

    @rule(kind=st.sampled_from([WorkKind.TURN, WorkKind.DELIVERY]), limit=st.integers(1, 3))
    def claim(self, kind, limit):
        claims = self.runner.run(self.core.work.claim("w", limit=limit, ttl=LEASE, kind=kind))
        for claim in claims:
            living = [one for one in self.held if same_work(one.claim, claim) and not one.over]
            assert all(one.until < self.clock() for one in living), "two workers hold the same dialogue"
            self.held.append(Held(claim, self.clock() + LEASE))

    @precondition(lambda self: self.held)
    @rule(index=which, most=st.integers(1, 4), crash=st.booleans())
    def work_on(self, index, most, crash):
        """Make a turn or a delivery of a claim, whoever holds it by now; `crash`: die right before the commit."""
        held = self.held[index % len(self.held)]
        if held.claim.kind is WorkKind.TURN:
            self.runner.run(self.turn(held, most, crash=crash))
        else:
            self.runner.run(self.deliver(held, crash=crash))

    @precondition(lambda self: self.held)
    @rule(index=which)
    def fail(self, index):
        held = self.held[index % len(self.held)]
        due = self.clock() + timedelta(seconds=2)
        ours = self.runner.run(self.core.work.release(held.claim, due_at=due, failed=True))
        assert ours == self.is_current(held)
        held.over = True

    @precondition(lambda self: self.held)
    @rule(index=which)
    def renew(self, index):
        held = self.held[index % len(self.held)]
        kept = self.runner.run(self.core.work.renew([held.claim], ttl=LEASE))
        assert (held.claim in kept) == self.is_current(held)
        if kept:
            held.until = self.clock() + LEASE

    @rule(seconds=st.sampled_from([0.5, 1, 3, 13]))
    def time_passes(self, seconds):
        self.clock.advance(timedelta(seconds=seconds))

    # ---- how it is done

    def is_current(self, held):
        """Say whether nobody has ended or taken over this claim."""
        later = [one for one in self.held if same_work(one.claim, held.claim) and one.claim.fence > held.claim.fence]
        return not held.over and not later

    async def turn(self, held, most, *, crash):
        claim = held.claim
        key = self.names[claim.dialogue_id]
        done, said = [], ""
        try:
            async with self.core.database.company(claim.company_id) as tx:
                waiting = await self.core.inbox.list_waiting(tx, claim.dialogue_id, limit=50)
                done = [update.update_key for update in waiting[:most]]
                turn_id = new_id()
                await self.core.inbox.mark_done(tx, [update.id for update in waiting[:most]], turn_id=turn_id)
                if done:
                    said = ",".join(done)
                    dialogue = Dialogue(
                        id=claim.dialogue_id, company_id=claim.company_id, channel_id=self.channel.id, key=key
                    )
                    await self.outbox.put(tx, dialogue, [{"text": said}], turn_id=turn_id)
                more = len(waiting) > most
                await self.core.work.done(tx, claim, next_due_at=self.clock() if more else None)
                if crash:
                    raise Killed
        except LeaseLost:
            assert not self.is_current(held)
            return
        except Killed:
            return
        assert self.is_current(held), "the commit of a worker that had lost its lease was taken"
        held.over = True
        self.book.processed[key] += done
        if said:
            self.book.replies[key].append(said)

    async def deliver(self, held, *, crash):
        claim = held.claim
        key = self.names[claim.dialogue_id]
        async with self.core.database.company(claim.company_id) as tx:
            waiting = await self.outbox.list_waiting(tx, claim.dialogue_id, limit=50)
        if not self.is_current(held) or held.until < self.clock():
            # A worker that was frozen cannot know; what it sends may be sent by another one too.
            self.book.may_be_twice |= {reply.payload["text"] for reply in waiting}
        for reply in waiting:
            self.book.sent[key].append(reply.payload["text"])
            if crash:
                self.book.may_be_twice.add(reply.payload["text"])
                return
            async with self.core.database.company(claim.company_id) as tx:
                await self.outbox.mark_sent(tx, reply.id)
        try:
            async with self.core.database.company(claim.company_id) as tx:
                await self.core.work.done(tx, claim)
        except LeaseLost:
            assert not self.is_current(held)
        else:
            held.over = True

    # ---- the end

    def teardown(self):
        self.runner.run(self.settle())
        for key in PEOPLE:
            assert self.book.processed[key] == self.book.accepted[key], "lost, twice, or out of order"
            sent = self.book.sent[key]
            assert list(dict.fromkeys(sent)) == self.book.replies[key], "a reply was lost, or came out of order"
            twice = {text for text, count in Counter(sent).items() if count > 1}
            assert twice <= self.book.may_be_twice

    async def settle(self):
        """Let whatever died stay dead, and living workers do the rest."""
        self.clock.advance(timedelta(hours=1))
        for _ in range(200):
            claims = [
                claim
                for kind in (WorkKind.TURN, WorkKind.DELIVERY)
                for claim in await self.core.work.claim("last", limit=10, ttl=LEASE, kind=kind)
            ]
            ours = [claim for claim in claims if claim.company_id == self.channel.company_id]
            for claim in ours:
                self.held.append(held := Held(claim, self.clock() + LEASE))
                await (
                    self.turn(held, 3, crash=False) if claim.kind is WorkKind.TURN else self.deliver(held, crash=False)
                )
            if not claims:
                return
        raise AssertionError("it never comes to rest")


def same_work(one, other):
    return (one.company_id, one.dialogue_id, one.kind, one.subject_id) == (
        other.company_id,
        other.dialogue_id,
        other.kind,
        other.subject_id,
    )


@pytest.mark.timeout(600)
def test_whatever_happens_in_whatever_order_nothing_is_lost_twice_or_out_of_order(settings, clock):
    async def opened(stack):
        return await stack.enter_async_context(open_core(settings, clock=clock, redis_prefix=f"test:{new_id().hex}:"))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        core = runner.run(opened(stack))
        try:
            run_state_machine_as_test(
                lambda: Engine(runner, core, clock),
                settings=hypothesis_settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=30,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())
