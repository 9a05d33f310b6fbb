"""Accepted updates, the work engine, the outbox: stored once, claimed by one, in order, fenced."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db.appointments import Appointments
from db.cache import Cache
from db.dialogue_state import DialogueStates, StateKey, key_of
from db.dialogues import Dialogues
from db.errors import Conflict, LeaseLost, NotFound
from db.intents import Intents
from db.limits import Budget, Pace, RateLimits
from db.models import accepted_updates, messages
from db.outbox import Outbox
from db.records import (
    Accepted,
    AgentSettings,
    Author,
    BookedAppointment,
    Branch,
    BranchId,
    ChannelType,
    Company,
    CompanyId,
    DialogueState,
    HistoryMessage,
    Intent,
    IntentKind,
    IntentStatus,
    WorkKind,
    dialogue_id_of,
    new_id,
)
from db.work import ring

LEASE = timedelta(seconds=12)
TURNS = (WorkKind.TURN,)


@pytest.fixture
async def channel(core):
    return await make_channel(core, "elita")


async def make_channel(core, slug):
    company = Company(id=CompanyId(new_id()), slug=slug, name=slug)
    branch = Branch(id=BranchId(new_id()), key="main", name=slug, time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [branch])
    made, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id=slug, name=slug, options={}, secrets={}
    )
    return made


def update(key, dialogue="5:5:", payload=b"{}"):
    return Accepted(update_key=key, dialogue_key=dialogue, payload=payload)


async def accept(core, channel, *updates, quiet=timedelta(0)):
    return await core.intake.accept(channel, updates, quiet=quiet)


async def claim(core, owner="one", limit=10):
    return await core.work.claim(owner, limit=limit, ttl=LEASE, kinds=TURNS)


async def waiting(core, channel, dialogue="5:5:"):
    async with core.database.company(channel.company_id) as tx:
        found = await core.inbox.list_waiting(tx, dialogue_id_of(channel.id, dialogue), limit=50)
    return [one.update_key for one in found]


async def done(core, held, **more):
    async with core.database.company(held.company_id) as tx:
        await core.work.done(tx, held, **more)


async def test_an_update_is_stored_once_however_often_it_comes(core, channel):
    assert await accept(core, channel, update("1"), update("1"), update("2")) == 2
    assert await accept(core, channel, update("2"), update("3")) == 1

    assert await waiting(core, channel) == ["1", "2", "3"]


async def test_the_same_update_id_in_two_companies_is_two_updates(core, channel):
    other = await make_channel(core, "other")

    assert await accept(core, channel, update("1")) == 1
    assert await accept(core, other, update("1")) == 1


async def test_updates_of_two_dialogues_are_two_pieces_of_work(core, channel):
    await accept(core, channel, update("1", "5:5:"), update("2", "6:6:"), update("3", "5:5:"))

    claims = await claim(core)

    assert sorted(str(one.dialogue_id) for one in claims) == sorted(
        str(dialogue_id_of(channel.id, key)) for key in ("5:5:", "6:6:")
    )


async def test_a_dialogue_is_held_by_one_worker_at_a_time(core, channel):
    await accept(core, channel, update("1"))

    first, second = await asyncio.gather(claim(core, "one"), claim(core, "two"))

    assert len(first) + len(second) == 1
    assert await claim(core, "three") == []


async def test_messages_that_come_during_a_turn_make_exactly_one_further_claim(core, channel):
    await accept(core, channel, update("1"))
    [held] = await claim(core)
    for key in ("2", "3", "4"):
        await accept(core, channel, update(key))
    assert await claim(core) == []

    await done(core, held)
    [again] = await claim(core)
    await done(core, again)

    assert await claim(core) == []


async def test_the_quiet_time_holds_a_turn_back(core, channel, clock):
    await accept(core, channel, update("1"), quiet=timedelta(seconds=1))

    assert await claim(core) == []
    assert await core.work.next_due_in(TURNS) == timedelta(seconds=1)
    clock.advance(timedelta(seconds=1))
    assert len(await claim(core)) == 1


async def test_a_lost_lease_is_taken_over_counted_and_the_late_commit_is_refused_whole(core, channel, clock):
    await accept(core, channel, update("1"))
    [zombie] = await claim(core, "zombie")
    clock.advance(LEASE + timedelta(seconds=1))

    [taken] = await claim(core, "living")

    async def commit_late():
        async with core.database.company(channel.company_id) as tx:
            stored = await core.inbox.list_waiting(tx, zombie.dialogue_id, limit=1)
            await core.inbox.mark_done(tx, [stored[0].id], turn_id=None)
            await core.work.done(tx, zombie)

    with pytest.raises(LeaseLost):
        await commit_late()

    assert taken.lost_leases == 1
    assert taken.fence == zombie.fence + 1
    assert await waiting(core, channel) == ["1"]
    await done(core, taken)


async def test_a_renewed_lease_is_kept_and_only_ones_own(core, channel, clock):
    await accept(core, channel, update("1"))
    [held] = await claim(core)
    clock.advance(timedelta(seconds=8))
    assert await core.work.renew([held], ttl=LEASE) == {held}
    clock.advance(timedelta(seconds=8))
    assert await claim(core, "two") == []

    clock.advance(timedelta(seconds=8))
    [taken] = await claim(core, "two")
    assert await core.work.renew([held], ttl=LEASE) == set()
    assert await core.work.renew([taken], ttl=LEASE) == {taken}
    assert await core.work.renew([], ttl=LEASE) == set()


async def test_a_claim_given_back_is_due_again_and_failures_are_counted(core, channel, clock):
    await accept(core, channel, update("1"))
    [held] = await claim(core)

    assert await core.work.release(held, due_at=clock() + timedelta(seconds=5), failed=True)
    assert await claim(core) == []
    clock.advance(timedelta(seconds=5))
    [again] = await claim(core)

    assert again.attempts == 1
    assert not await core.work.release(held, due_at=clock(), failed=True)


async def test_the_worker_sees_work_of_all_companies_the_longest_waiting_first(core, channel, clock):
    other = await make_channel(core, "other")
    await accept(core, other, update("1"))
    clock.advance(timedelta(seconds=1))
    await accept(core, channel, update("1"))

    [first] = await claim(core, limit=1)
    [second] = await claim(core, limit=1)

    assert (first.company_id, second.company_id) == (other.company_id, channel.company_id)


async def test_a_dead_update_is_listed_retried_and_dropped(core, channel):
    await accept(core, channel, update("1"), update("2"))
    [held] = await claim(core)
    async with core.database.company(channel.company_id) as tx:
        one, two = await core.inbox.list_waiting(tx, held.dialogue_id, limit=5)
        await core.inbox.record_failure(tx, one.id, "ValueError: x")
        await core.inbox.bury(tx, one.id, None)
        await core.inbox.mark_done(tx, [two.id], turn_id=new_id())
        await core.work.done(tx, held)

    async with core.database.company(channel.company_id) as tx:
        [dead] = await core.inbox.list_dead(tx)
        assert (dead.update_key, dead.error, dead.attempts) == ("1", "ValueError: x", 1)
        await core.inbox.retry_dead(tx, dead.id)
    assert await waiting(core, channel) == ["1"]
    assert len(await claim(core)) == 1
    async with core.database.company(channel.company_id) as tx:
        await core.inbox.bury(tx, dead.id, "again")
        await core.inbox.drop_dead(tx, dead.id)
        assert await core.inbox.list_dead(tx) == []
        for action in (core.inbox.retry_dead, core.inbox.drop_dead):
            with pytest.raises(NotFound):
                await action(tx, dead.id)


async def test_dedup_keys_outlive_whatsapps_week_and_are_swept_after(core, channel, clock):
    await accept(core, channel, update("1"))
    [held] = await claim(core)
    async with core.database.company(channel.company_id) as tx:
        [stored] = await core.inbox.list_waiting(tx, held.dialogue_id, limit=5)
        await core.inbox.mark_done(tx, [stored.id], turn_id=None)
    for days, swept in ((7, 0), (2, 2)):
        clock.advance(timedelta(days=days))
        async with core.database.company(channel.company_id) as tx:
            assert await core.inbox.sweep(tx, now=clock()) == swept
    async with core.database.company(channel.company_id) as tx:
        assert await tx.connection.scalar(select(func.count()).select_from(accepted_updates)) == 0


async def open_dialogue(core, channel, key="5:5:"):
    async with core.database.company(channel.company_id) as tx:
        return await Dialogues().open_dialogue(
            tx, channel_id=channel.id, dialogue_id=dialogue_id_of(channel.id, key), key=key, now=core.clock()
        )


async def test_replies_go_out_in_order_and_ring_their_delivery(core, channel):
    outbox, dialogue = Outbox(core.clock), await open_dialogue(core, channel)
    async with core.database.company(channel.company_id) as tx:
        await outbox.put(tx, dialogue, [], turn_id=None)
        await outbox.put(tx, dialogue, [{"text": "1"}, {"text": "2"}], turn_id=None)
        await outbox.put(tx, dialogue, [{"text": "3"}], turn_id=None)

    [held] = await core.work.claim("one", limit=5, ttl=LEASE, kinds=(WorkKind.DELIVERY,))
    async with core.database.company(channel.company_id) as tx:
        replies = await outbox.list_waiting(tx, dialogue.id, limit=10)
        await outbox.mark_part_sent(tx, replies[0].id, "77")
        await outbox.mark_sent(tx, replies[0].id)
        await outbox.mark_retry(tx, replies[1].id, "flood")
        await outbox.mark_failed(tx, replies[2].id, "gone")
        left = await outbox.list_waiting(tx, dialogue.id, limit=10)

    assert held.dialogue_id == dialogue.id
    assert [reply.payload["text"] for reply in replies] == ["1", "2", "3"]
    assert [(reply.payload["text"], reply.attempts) for reply in left] == [("2", 1)]


async def test_history_is_kept_in_order_in_the_months_partition(core, channel, clock):
    dialogue = await open_dialogue(core, channel)
    said = [
        HistoryMessage(author=Author.CLIENT, text=str(number), at=clock(), turn_id=new_id(), parts=({"a": 1},))
        for number in range(3)
    ]
    async with core.database.company(channel.company_id) as tx:
        await Dialogues().add_messages(tx, dialogue.id, said)
        recent = await Dialogues().list_recent_messages(tx, dialogue.id, limit=2)

    assert list(recent) == said[1:]
    assert messages.dialect_options["postgresql"]["partition_by"] == "RANGE (at)"


async def test_a_stale_copy_of_the_state_in_redis_is_ignored_and_a_lost_one_costs_nothing(core, channel):
    dialogue = await open_dialogue(core, channel)
    states, key = DialogueStates(core.redis, core.redis_prefix), key_of(channel, dialogue)

    async def load():
        async with core.database.company(channel.company_id) as tx:
            return await states.load(tx, dialogue.id, key)

    assert await load() == DialogueState()
    async with core.database.company(channel.company_id) as tx:
        first = await states.save(tx, dialogue.id, DialogueState(state="a", data={"n": 1}))
    await states.copy(key, first)
    async with core.database.company(channel.company_id) as tx:
        second = await states.save(tx, dialogue.id, DialogueState(state="b", data={"n": 2}, version=first.version))

    assert await load() == second
    await states.copy(key, second)
    assert await load() == second
    await core.redis.flushdb()
    assert await load() == second


def test_the_key_of_a_state_tells_bots_companies_and_channels_apart():
    base = {"company_id": CompanyId(new_id()), "channel": "telegram", "bot": "1", "dialogue": "5:5:"}
    others = [
        {**base, name: value}
        for name, value in (
            ("company_id", CompanyId(new_id())),
            ("channel", "whatsapp"),
            ("bot", "2"),
            ("dialogue", "5:5:b"),
        )
    ]

    keys = {StateKey(**one).redis_key("p:") for one in (base, *others)}

    assert len(keys) == 5


def intent(channel, dialogue):
    return Intent(
        id=new_id(),
        company_id=channel.company_id,
        dialogue_id=dialogue.id,
        branch_id=BranchId(new_id()),
        kind=IntentKind.CREATE,
        external_id=str(new_id()),
        action={},
        status=IntentStatus.CONFIRMED,
        created_at=channel and dialogue.last_message_at,
    )


async def test_an_intent_is_recorded_once_and_moves_only_forward(core, channel, clock):
    dialogue, store = await open_dialogue(core, channel), Intents()
    recorded = Intent(**{**_fields(intent(channel, dialogue)), "created_at": clock()})
    async with core.database.company(channel.company_id) as tx:
        await store.create(tx, recorded)
        with pytest.raises(Conflict):
            await store.create(tx, recorded)
        with pytest.raises(Conflict):
            await store.mark_done(tx, recorded.id, crm_record_id="1", at=clock())
        await store.mark_called(tx, recorded.id, at=clock())
        await store.mark_called(tx, recorded.id, at=clock())
        await store.mark_done(tx, recorded.id, crm_record_id="1", at=clock())
        for step in (store.mark_refused, store.mark_unknown):
            with pytest.raises(Conflict):
                await step(tx, recorded.id, "late", at=clock())
        found = await store.find(tx, recorded.id)

    assert (found.status, found.crm_record_id) == (IntentStatus.DONE, "1")


def _fields(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


async def test_a_chat_lists_what_it_made_until_it_is_cancelled(core, channel, clock):
    mine, other = await open_dialogue(core, channel), await open_dialogue(core, channel, "6:6:")
    store, branch_id = Appointments(), BranchId(new_id())
    booked = BookedAppointment(
        id=new_id(),
        company_id=channel.company_id,
        branch_id=branch_id,
        dialogue_id=mine.id,
        crm_record_id="900",
        external_id="e",
        starts_at=clock() + timedelta(days=1),
        duration=timedelta(hours=1),
        service_names=("Стрижка",),
        staff_name="Анна",
        client_name="Елена",
        visitor_name=None,
        phone="+79160000001",
        phone_proved=False,
    )
    async with core.database.company(channel.company_id) as tx:
        await store.save(tx, booked)
        await store.save(tx, booked)
        assert list(await store.list_upcoming(tx, mine.id, now=clock())) == [booked]
        assert list(await store.list_upcoming(tx, other.id, now=clock())) == []
        assert list(await store.list_upcoming(tx, mine.id, now=clock() + timedelta(days=2))) == []
        await store.mark_cancelled(tx, branch_id, "900")
        assert list(await store.list_upcoming(tx, mine.id, now=clock())) == []


async def test_a_rate_lets_a_burst_through_and_then_says_how_long_to_wait(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    spend = [await limits.spend("k", Budget(1, timedelta(hours=1), 3)) for _ in range(4)]

    assert spend[:3] == [None, None, None]
    assert timedelta(minutes=59) < spend[3] <= timedelta(hours=1)
    assert await limits.spend("other", Budget(1, timedelta(hours=1), 1)) is None


async def test_those_who_wait_in_a_queue_are_told_a_moment_each(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    hourly = Budget(1, timedelta(hours=1), 1)
    waits = [await limits.spend("k", hourly, queue=True) for _ in range(4)]

    assert waits[0] is None
    for hours, wait in enumerate(waits[1:], start=1):
        assert timedelta(hours=hours, minutes=-1) < wait <= timedelta(hours=hours)


async def test_a_held_budget_lets_nothing_through_and_then_only_its_steady_rate(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    budget = Budget(1, timedelta(seconds=100), 50)
    await limits.hold("k", budget, timedelta(hours=1))
    await limits.hold("k", budget, timedelta(minutes=1))
    waits = [await limits.spend("k", budget, queue=True) for _ in range(2)]

    assert timedelta(minutes=59) < waits[0] <= timedelta(hours=1)
    assert timedelta(seconds=99) < waits[1] - waits[0] < timedelta(seconds=101)
    assert await limits.spend("other", budget) is None


async def test_a_pace_waits_and_gives_up_past_its_limit(core):
    pace = Pace(RateLimits(core.redis, core.redis_prefix), limit=timedelta(seconds=0.2))
    await pace.wait("v", rate=50, per=timedelta(seconds=1), burst=1)
    await pace.wait("v", rate=50, per=timedelta(seconds=1), burst=1)

    await pace.wait("slow", rate=1, per=timedelta(hours=1), burst=1)
    with pytest.raises(TimeoutError):
        await pace.wait("slow", rate=1, per=timedelta(hours=1), burst=1)


async def test_without_redis_limits_are_open_and_bells_and_caches_are_silent(core):
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    from db.doorbell import Doorbell

    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    cache = Cache(gone, "p:")

    limits, hourly = RateLimits(gone, "p:"), Budget(1, timedelta(hours=1), 1)
    await limits.hold("k", hourly, timedelta(hours=1))
    assert await limits.spend("k", hourly) is None
    await Doorbell(gone, "p:").ring(WorkKind.TURN)
    assert not await Doorbell(gone, "p:").wait(WorkKind.TURN, timedelta(milliseconds=10))
    await cache.set("k", "v", ttl=timedelta(seconds=1))
    assert await cache.get("k") is None
    await cache.delete("k")
    await gone.aclose()


async def test_a_cache_keeps_and_drops(core):
    cache = Cache(core.redis, core.redis_prefix)
    await cache.set("k", "слово", ttl=timedelta(minutes=1))
    assert await cache.get("k") == "слово"
    await cache.delete("k")
    assert await cache.get("k") is None


async def test_an_earlier_ring_is_not_put_off_by_a_later_one(core, channel, clock):
    dialogue = dialogue_id_of(channel.id, "5:5:")
    for delay in (10, 1, 20):
        async with core.database.company(channel.company_id) as tx:
            due = clock() + timedelta(seconds=delay)
            await ring(tx, dialogue_id=dialogue, channel_id=channel.id, kind=WorkKind.TURN, due_at=due)

    assert await core.work.next_due_in(TURNS) == timedelta(seconds=1)


async def test_who_serves_one_dialogue_claims_and_awaits_nothing_else(core, channel):
    await accept(core, channel, update("1", dialogue="5:5:"), update("2", dialogue="6:6:"))
    only = dialogue_id_of(channel.id, "6:6:")

    [held] = await core.work.claim("one", limit=10, ttl=LEASE, kinds=TURNS, only=only)

    assert held.dialogue_id == only
    assert await core.work.claim("one", limit=10, ttl=LEASE, kinds=TURNS, only=only) == []
    assert await core.work.next_due_in(TURNS, only=only) is None
    assert [one.dialogue_id for one in await claim(core)] == [dialogue_id_of(channel.id, "5:5:")]


async def test_the_bell_of_one_dialogue_is_heard_by_nobody_else(core, channel):
    own = core.doorbell.of(dialogue_id_of(channel.id, "5:5:"))
    moment = timedelta(milliseconds=10)

    await own.ring(WorkKind.TURN)

    assert not await core.doorbell.wait(WorkKind.TURN, moment)
    assert await own.wait(WorkKind.TURN, moment)
