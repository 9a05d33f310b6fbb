"""A Redis master that dies, in a Cluster and under Sentinels: limits are open meanwhile, and all goes on by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bench.redis_servers import redis_cluster, redis_sentinels
from bot.tasks import end
from db.directory import Directory
from db.doorbell import Doorbell
from db.limits import Ask, Budget, RateLimits
from db.records import WorkKind
from db.redis_traces import RedisTraces

DAILY = Budget(1, timedelta(days=1), 2)
MANY = 30


@pytest.fixture(params=["cluster", "sentinels"])
def servers_of_redis(request, tmp_path):
    start = redis_cluster if request.param == "cluster" else redis_sentinels
    with start(tmp_path) as running:
        yield running


@pytest.fixture
def settings(settings, servers_of_redis):
    return settings.model_copy(update={"redis_url": servers_of_redis.url})


@pytest.fixture
async def core(core):
    """Connected: on a busy machine the first command may take longer than limits have patience for."""
    await core.redis.ping()
    return core


async def test_when_a_master_dies_its_replica_goes_on_and_limits_are_open_meanwhile(core, servers_of_redis, until):
    limits = RateLimits(core.redis, core.redis_prefix)
    key = f"{core.redis_prefix}rate:{{k}}"
    await limits.take([Ask("k", 2, DAILY)])
    assert await limits.spend("k", DAILY) is not None
    # Replication is asynchronous: what was counted in the last moment may be lost with the master.
    await until(lambda: servers_of_redis.is_copied(key))
    master = servers_of_redis.master_of(key)

    master.kill()

    grants = await limits.take([Ask("k", 2, DAILY), Ask("other", 1, DAILY)])
    assert [grant.granted for grant in grants] == [2, 1]
    await until(lambda: servers_of_redis.master_of(key) not in (None, master))

    async def is_counted():
        return await limits.spend("k", DAILY) is not None

    await until(is_counted)
    await until(core.redis_answers)
    for number in range(MANY):
        assert await core.redis.set(f"{core.redis_prefix}{number}:+79160000001", "x")
    assert await RedisTraces(core.redis, core.redis_prefix).delete(["+79160000001"], []) == MANY, (
        "on the new master too"
    )


async def test_bells_and_news_are_heard_again(core, channel, clock, servers_of_redis, until):
    bell = Doorbell(core.redis, core.redis_prefix)
    listener = Directory(core.database, ttl=timedelta(hours=1), max_size=10, clock=clock)
    listening = asyncio.create_task(listener.listen(core.redis, core.redis_prefix))
    master = servers_of_redis.master_of(f"{core.redis_prefix}bell:turn")

    async def is_heard(wish: bool):
        await bell.ring(WorkKind.TURN)
        heard = await bell.wait(WorkKind.TURN, timedelta(milliseconds=100))
        await core.companies.set_disabled(channel.company_id, disabled=wish)
        return heard and (await listener.get_snapshot(channel.company_id)).company.disabled is wish

    await until(lambda: is_heard(True))
    master.kill()
    await until(lambda: is_heard(False))

    await end(listening)


async def test_clients_book_before_and_after(house, servers_of_redis, until):
    first, second = house.client(), house.client("Ольга")
    await first.reaches_proposal()
    master = servers_of_redis.master_of(f"{house.core.redis_prefix}bell:turn")

    master.kill()
    # While nobody is master yet, work is found by the poll.
    await first.presses("Да, записать")
    await until(lambda: servers_of_redis.master_of("any") not in (None, master))
    await until(house.core.redis_answers)
    await second.says("Здравствуйте")

    assert len(house.records()) == 1
    assert second.chat.messages[-1].from_bot
