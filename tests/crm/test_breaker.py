"""A CRM that does not answer is left in peace: by one account, over all processes, and not for long."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from crm.addresses import Reach
from crm.base import BaseCRMAdapter, CheckStatus, NewAppointment, Phone, RecordId, ServiceId
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMUnavailable,
)
from crm.guard import Caller
from crm.http import Answer, Call, CRMConnection, CRMHttp, NotJSON, TimeLimits
from crm.purpose import Purpose, acting
from crm.registry import CRMFactory
from db.crm_breaker import CrmBreaker
from db.records import new_id
from sandbox.seeds import elita_business
from sandbox.yclients.staff_side import YclientsSalon

WRITE = Call(operation="create", method="POST", path="/records", safe=False)
OTHER_WRITE = Call(operation="cancel", method="POST", path="/records", safe=False)
READ = Call(operation="create", method="POST", path="/records", safe=True)
SECOND = timedelta(seconds=1)


class Vendor:
    """Answers what it is told to; counts what reaches it."""

    def __init__(self, connect: Callable[[str, str], CRMConnection], clock) -> None:
        name = new_id().hex
        self.says: Exception | None = None
        self.asked = 0
        self.connection = connect(f"{name}-one", "elita")
        self.of_another = connect(f"{name}-another", "boroda")
        self.in_another_process = connect(f"{name}-one", "elita")
        self._clock = clock

    def decode(self, answer: Answer) -> str:
        self.asked += 1
        if self.says:
            raise self.says
        return "answer"

    async def ask(self, call: Call = WRITE, connection: CRMConnection | None = None) -> str:
        return await (connection or self.connection).call(call, self.decode)

    async def fails(self, times: int, says: CRMError | None = None, call: Call = WRITE, every: float = 2) -> None:
        """Be asked so often, some seconds apart, and answer nothing of use."""
        self.says = says or CRMUnavailable("it is broken")
        for _ in range(times):
            with pytest.raises(CRMError):
                await self.ask(call)
            self._clock.now += SECOND * every

    async def is_reached(self, call: Call = WRITE, connection: CRMConnection | None = None) -> bool:
        """Say whether a call comes through to it."""
        before = self.asked
        with contextlib.suppress(CRMError):
            await self.ask(call, connection)
        return self.asked > before


@pytest.fixture
async def redis(servers) -> AsyncIterator[Redis]:
    client = Redis.from_url(servers.servers.redis_url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
def breaker(redis: Redis, clock) -> Callable[[], CrmBreaker]:
    """Make a process's own view of the breakers."""
    prefix = f"test:{new_id().hex}:"
    return lambda: CrmBreaker(redis, prefix, clock)


@pytest.fixture
async def vendor(breaker, clock, pace, listen) -> AsyncIterator[Vendor]:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({})

    url = (await listen("/records", answer)).rstrip("/")
    open_pools: list[CRMHttp] = []

    async def pause(seconds: float) -> None:
        clock.now += SECOND * seconds

    def connect(account: str, company: str) -> CRMConnection:
        http = CRMHttp(clock=clock, breaker=breaker(), sleep=pause, reach=Reach(loopback=True))
        open_pools.append(http)
        return CRMConnection(
            http.of(Caller(company=company, account=account)),
            crm="test",
            base_url=url,
            secrets=[],
            pace=pace,
            limits=(),
        )

    yield Vendor(connect, clock)
    for pool in open_pools:
        await pool.aclose()


async def test_after_five_failures_in_a_row_calls_fail_at_once_in_every_process(vendor):
    await vendor.fails(4)
    assert await vendor.is_reached()

    for connection in (vendor.connection, vendor.in_another_process):
        with pytest.raises(CRMUnavailable, match=r"create: the CRM has failed again and again, not asked for \d+ s"):
            await vendor.ask(connection=connection)
    assert vendor.asked == 5


async def test_another_account_is_asked_meanwhile(vendor):
    await vendor.fails(5)

    assert await vendor.is_reached(connection=vendor.of_another)
    assert not await vendor.is_reached()


@pytest.mark.parametrize(
    ("says", "rests"),
    [
        (CRMUnavailable("nothing"), True),
        (CRMOutcomeUnknown("perhaps"), True),
        (CRMNotFound("gone"), False),
        (CRMInvalid("wrong"), False),
        (CRMRateLimited("too many", retry_after=timedelta(hours=1)), False),
        (CRMAuthFailed("who are you"), False),
    ],
)
async def test_only_silence_opens_it(vendor, says, rests):
    await vendor.fails(6, says, every=5)
    vendor.says = None

    assert await vendor.is_reached(OTHER_WRITE) is not rests


async def test_a_success_between_begins_the_count_anew(vendor):
    await vendor.fails(4)
    vendor.says = None
    await vendor.ask()
    await vendor.fails(4)

    assert await vendor.is_reached()


async def test_a_blip_that_fails_many_calls_at_once_opens_nothing(vendor):
    await vendor.fails(8, every=0.5)

    assert await vendor.is_reached()


async def test_failures_far_apart_open_nothing(vendor):
    await vendor.fails(8, every=61)

    assert await vendor.is_reached()


async def test_after_the_pause_one_call_is_the_trial_and_its_success_ends_it(vendor, clock):
    await vendor.fails(5)
    clock.now += SECOND * 30
    vendor.says = None
    guard = vendor.connection._http.guard
    trial = await guard.admit("test", "create")
    assert not await vendor.is_reached(connection=vendor.in_another_process)
    await guard.heard("create", trial, None)

    assert await vendor.is_reached()
    assert await vendor.is_reached(connection=vendor.in_another_process)


async def test_each_failed_trial_doubles_the_pause_up_to_five_minutes(vendor, clock):
    await vendor.fails(5, every=1.25)
    clock.now -= SECOND * 1.25
    pauses = []
    for _ in range(6):
        waited = 0
        while not await vendor.is_reached():
            clock.now += SECOND
            waited += 1
        pauses.append(waited)

    assert pauses == [30, 60, 120, 240, 300, 300]


async def test_a_trial_that_was_lost_with_its_process_is_made_again(vendor, clock):
    await vendor.fails(5)
    clock.now += SECOND * 30
    await vendor.connection._http.guard.admit("test", "create")

    assert not await vendor.is_reached()
    clock.now += SECOND * 41
    assert await vendor.is_reached()


async def test_what_became_of_a_write_is_asked_also_while_the_crm_is_left_in_peace(vendor, clock):
    await vendor.fails(5)
    assert not await vendor.is_reached()
    with acting(Purpose.PROOF):
        assert await vendor.is_reached()
    assert not await vendor.is_reached()

    vendor.says = None
    with acting(Purpose.PROOF):
        assert await vendor.is_reached()
    assert await vendor.is_reached()


async def test_a_failed_proof_lengthens_no_pause(vendor, clock):
    await vendor.fails(5)
    for _ in range(3):
        with acting(Purpose.PROOF):
            assert await vendor.is_reached()
    clock.now += SECOND * 29

    assert await vendor.is_reached()


async def test_refused_credentials_are_not_tried_again_for_a_minute_and_the_error_says_so(vendor, clock):
    await vendor.fails(1, CRMAuthFailed("no right to this"))
    vendor.says = None

    with pytest.raises(CRMAuthFailed, match=r"create: refused a moment ago, not asked again for 58 s"):
        await vendor.ask()
    assert await vendor.is_reached(OTHER_WRITE), "a right that lacks for one thing keeps nobody from the others"
    clock.now += SECOND * 60
    assert await vendor.is_reached()


async def test_a_reading_is_not_repeated_once_the_crm_is_left_in_peace(vendor):
    """What a lone failed reading would do after a pause."""
    await vendor.fails(4, every=3)
    vendor.says = NotJSON("a page")

    with pytest.raises(CRMUnavailable, match="again and again"):
        await vendor.ask(READ)
    assert vendor.asked == 5


async def test_without_redis_everything_is_asked_and_nothing_is_raised(clock):
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    breaker = CrmBreaker(gone, "p:", clock)
    for _ in range(6):
        await breaker.failed("one")
        clock.now += SECOND * 2
    await breaker.refused("one", "create")
    await breaker.succeeded("one")
    admission = await breaker.admit("one", "create", proof=False)

    assert (admission.resting, admission.refused) == (None, None)
    assert await breaker.find_rest("one") is None
    await gone.aclose()


def resting(why: str) -> float:
    return REGISTRY.get_sample_value("ai_admin_crm_accounts_resting", {"crm": "test", "why": why}) or 0


async def test_the_metric_counts_the_accounts_that_are_left_in_peace(vendor, clock):
    before = resting("silent")
    await vendor.fails(5)
    await vendor.is_reached()
    assert resting("silent") == before + 1

    clock.now += SECOND * 30
    vendor.says = None
    await vendor.ask()
    assert resting("silent") == before


@pytest.fixture
async def salon(clock) -> AsyncIterator[YclientsSalon]:
    server = YclientsSalon(elita_business(), clock=clock, per_second=100_000, per_minute=100_000)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def open_adapter(salon, breaker, clock, pace, cache) -> AsyncIterator[Callable[[], BaseCRMAdapter]]:
    async def pause(seconds: float) -> None:
        clock.now += SECOND * seconds

    quick = TimeLimits(read=SECOND * 5)
    async with CRMHttp(
        clock=clock, sleep=pause, time_limits=quick, breaker=breaker(), reach=Reach(loopback=True)
    ) as http:

        def opening() -> BaseCRMAdapter:
            given = salon.connection()
            return CRMFactory(http, pace, cache, clock).create(
                given.type,
                options=given.options,
                secrets={name: SecretStr(value) for name, value in given.secrets.items()},
                account_id=given.account_id,
                time_zone="Europe/Moscow",
                company="elita",
            )

        yield opening


async def outage(salon: YclientsSalon, crm: BaseCRMAdapter) -> None:
    """Let everything fail until the account is left in peace."""
    salon.fail("clients", times=20, status=503)
    for _ in range(2):
        with pytest.raises(CRMUnavailable):
            await crm.get_client_by_phone(Phone("+79161234567"))


async def test_an_outage_is_seen_by_the_check_which_asks_all_the_same(salon, open_adapter):
    crm = open_adapter()
    assert all(line.subject != "left in peace" for line in await crm.check())
    await outage(salon, crm)
    lines = await crm.check()

    assert lines[0].subject == "left in peace"
    assert lines[0].status is CheckStatus.WARNING
    assert any(line.subject == "branch" and line.status is CheckStatus.OK for line in lines)


async def test_a_booking_is_not_sent_to_a_crm_that_is_left_in_peace_and_counts_as_not_made(salon, open_adapter, clock):
    crm = open_adapter()
    service = (await crm.get_services())[0]
    day = clock.now.date() + timedelta(days=1)
    slot = (await crm.get_available_slots([ServiceId(service.id)], first=day, last=day))[0]
    await outage(salon, crm)
    new = NewAppointment(external_id="aiadm-1", slot=slot, client_name="Елена", phone=Phone("+79161234567"))

    with pytest.raises(CRMUnavailable):
        await crm.create_appointment(new)
    assert salon.list_visits() == ()
    with pytest.raises(CRMNotFound):
        await crm.get_appointment(RecordId("404"))
