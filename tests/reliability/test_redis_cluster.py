"""Everything that goes over Redis, on a real Cluster of three masters and three replicas."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest
from redis.exceptions import RedisError

from bench.redis_servers import redis_cluster
from bot.tasks import end
from db.answers import Answers
from db.cache import Cache
from db.crm_breaker import CrmBreaker
from db.crm_pace import CrmPace
from db.dialogue_state import DialogueStates, StateKey
from db.directory import Directory
from db.doorbell import Doorbell
from db.limits import Ask, Budget, RateLimits
from db.records import CompanyId, DialogueId, DialogueState, WorkKind, new_id
from db.redis_client import open_redis
from db.redis_traces import RedisTraces

HOURLY = Budget(1, timedelta(hours=1), 2)
MANY = 30
"""So many keys that every master has some of them."""


@dataclass(frozen=True)
class Limit:
    name: str
    rate: int
    per: timedelta
    burst: int


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def settings(settings, cluster):
    return settings.model_copy(update={"redis_url": cluster.url})


@pytest.fixture
async def core(core):
    """Connected: on a busy machine the first command may take longer than limits have patience for."""
    await core.redis.ping()
    return core


async def test_a_client_books_on_an_installation_with_a_cluster(house):
    client = house.client()

    await client.reaches_proposal()
    receipt = await client.presses("Да, записать")

    assert "15:00" in receipt.text
    assert len(house.records()) == 1


async def test_many_budgets_are_taken_from_at_once_wherever_they_lie(core, cluster):
    limits = RateLimits(core.redis, core.redis_prefix)
    asks = [Ask(f"k{number}", 2, HOURLY, queue=True) for number in range(MANY)]

    assert [grant.granted for grant in await limits.take(asks)] == [2] * MANY
    assert [grant.granted for grant in await limits.take(asks)] == [0] * MANY
    for master in cluster.masters():
        assert master.ask("DBSIZE") != "0"


async def test_a_budget_that_is_held_lets_nothing_through(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    await limits.hold("k", HOURLY, timedelta(hours=1))

    assert await limits.spend("k", HOURLY) is not None


async def test_a_node_that_forgot_the_scripts_learns_them_again(core, cluster):
    limits = RateLimits(core.redis, core.redis_prefix)
    asks = [Ask(f"k{number}", 1, HOURLY) for number in range(MANY)]
    await limits.take(asks)
    for master in cluster.masters():
        assert master.ask("SCRIPT", "FLUSH") == "OK"

    assert [grant.granted for grant in await limits.take(asks)] == [1] * MANY
    assert [grant.granted for grant in await limits.take(asks)] == [0] * MANY


async def test_bells_are_heard(core):
    bell, answers = Doorbell(core.redis, core.redis_prefix), Answers(core.database, core.redis, core.redis_prefix)
    heard = asyncio.create_task(bell.wait(WorkKind.TURN, timedelta(seconds=30)))
    dialogues = [DialogueId(new_id()) for _ in range(MANY)]

    await bell.ring(WorkKind.TURN)

    assert await heard
    assert not await bell.wait(WorkKind.TURN, timedelta(milliseconds=10))
    for dialogue in dialogues:
        await answers.ring(dialogue)
        assert await core.redis.llen(f"{core.redis_prefix}answer:{dialogue}") == 1


async def test_companies_take_turns_at_a_vendors_limit(core):
    pace = CrmPace(core.redis, core.redis_prefix)
    limits = [Limit("second", 1, timedelta(seconds=5), 1), Limit("minute", 20, timedelta(minutes=1), 20)]

    for line in (f"line {number}" for number in range(MANY)):
        tickets = [pace.ticket(limits, line=line, company=company, ahead=0) for company in ("salon", "clinic")]
        first, second = [await pace.ask(ticket, patience=timedelta(seconds=10)) for ticket in tickets]
        assert first.go
        assert timedelta(seconds=4) < second.wait <= timedelta(seconds=5)
        await pace._leave(tickets[1])


async def test_a_crm_that_refuses_is_left_in_peace(core, clock):
    breaker = CrmBreaker(core.redis, core.redis_prefix, clock)

    for account in (f"account {number}" for number in range(MANY)):
        await breaker.refused(account, "create")
        for _ in range(5):
            await breaker.failed(account)
            clock.advance(timedelta(seconds=2))
        assert (await breaker.admit(account, "create", proof=False)).refused is not None
        assert (await breaker.admit(account, "read", proof=False)).resting is not None
        await breaker.succeeded(account)
        assert (await breaker.admit(account, "read", proof=False)).clean


async def test_catalogues_are_kept_and_dropped(core):
    cache = Cache(core.redis, f"{core.redis_prefix}crm:")

    for number in range(MANY):
        await cache.set(str(number), "catalogue", ttl=timedelta(minutes=1))
    assert [await cache.get(str(number)) for number in range(MANY)] == ["catalogue"] * MANY
    for number in range(MANY):
        await cache.delete(str(number))
    assert [await cache.get(str(number)) for number in range(MANY)] == [None] * MANY


async def test_what_names_a_client_is_erased_on_every_node(core):
    states = DialogueStates(core.redis, core.redis_prefix)
    # A company's dialogues lie together, so each is another company's.
    keys = [StateKey(company_id=CompanyId(new_id()), channel="telegram", bot="1", dialogue="7:7:") for _ in range(MANY)]
    for key in keys:
        await states.copy(key, DialogueState(state="confirming", data={"phone": "+79160000001"}, version=3))
        await core.redis.set(f"{core.redis_prefix}other:{key.company_id}:+79160000001", "x")
    assert (await states._read(keys[0])).state == "confirming"

    gone = await RedisTraces(core.redis, core.redis_prefix).delete(["+79160000001"], keys[:1])

    assert gone == MANY + 1
    assert [key async for key in core.redis.scan_iter(match=f"{core.redis_prefix}other:*")] == []
    assert (await states._read(keys[0])).data == {}


async def test_a_changed_company_is_told_to_every_process(core, channel, clock, until):
    listeners = [Directory(core.database, ttl=timedelta(hours=1), max_size=10, clock=clock) for _ in range(4)]
    tasks = [asyncio.create_task(one.listen(core.redis, core.redis_prefix)) for one in listeners]
    for listener in listeners:
        await listener.get_snapshot(channel.company_id)
    company = (await listeners[0].get_snapshot(channel.company_id)).company

    async def all_know():
        await core.companies.set_disabled(company.id, disabled=True)
        found = [await listener.get_snapshot(company.id) for listener in listeners]
        return all(snapshot.company.disabled for snapshot in found)

    await until(all_know)
    for task in tasks:
        await end(task)


async def test_readiness_asks_all_masters(core):
    assert await core.redis_answers()


async def test_where_no_node_answers_limits_are_open_and_the_rest_is_silent(core, clock):
    async with open_redis("redis+cluster://127.0.0.1:1,127.0.0.1:2") as gone:
        limits, bell, cache = RateLimits(gone, "p:"), Doorbell(gone, "p:"), Cache(gone, "p:")

        assert await limits.spend("k", HOURLY) is None
        assert await limits.spend("k", HOURLY, strict=True) is not None
        await bell.ring(WorkKind.TURN)
        assert not await bell.wait(WorkKind.TURN, timedelta(milliseconds=10))
        await cache.set("k", "v", ttl=timedelta(minutes=1))
        assert await cache.get("k") is None
        assert (await CrmBreaker(gone, "p:", clock).admit("a", "read", proof=False)).clean
        assert await RedisTraces(gone, "p:").delete(["name"], []) is None
        with pytest.raises(RedisError):
            await gone.publish("news", "x")
        with pytest.raises(RedisError):
            await gone.ping()


async def test_slots_that_move_are_followed(core, cluster):
    """The client's work, and only looked at here: a slot's budgets are counted on, wherever it lies."""
    limits = RateLimits(core.redis, core.redis_prefix)
    asks = [Ask(f"k{number}", 1, HOURLY) for number in range(MANY)]
    await limits.take(asks)
    cluster.move_slot_of(f"{core.redis_prefix}rate:{{k0}}")

    assert [grant.granted for grant in await limits.take(asks)] == [1] * MANY
    assert [grant.granted for grant in await limits.take(asks)] == [0] * MANY


async def test_a_master_that_hangs_opens_the_limits_and_keeps_no_connection(core, cluster, until):
    limits = RateLimits(core.redis, core.redis_prefix)
    daily = Budget(1, timedelta(days=1), 2)
    await limits.take([Ask("k", 1, daily)])
    master = cluster.master_of(f"{core.redis_prefix}rate:{{k}}")
    [node] = [one for one in core.redis.get_nodes() if one.port == master.port]

    master.freeze()
    for _ in range(2):
        assert (await limits.take([Ask("k", 2, daily)]))[0].granted == 2
    master.thaw()

    await until(lambda: len(node._free) == len(node._connections))
