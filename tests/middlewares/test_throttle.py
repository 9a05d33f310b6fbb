"""One client's rate: what is too much is not answered, told once, and never a pressed button."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from db.limits import RateLimits
from db.records import DialogueId, new_id
from middlewares.throttle import ClientThrottle, Verdict
from orchestration.messages import Message

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def words():
    return Message(id="1", sent_at=AT, text="Здравствуйте")


@pytest.fixture
def throttle(core):
    return ClientThrottle(core.limits, per_minute=2)


async def test_too_much_is_told_once_and_then_only_kept(throttle):
    client = DialogueId(new_id())

    verdicts = [await throttle.judge(client, [words()]) for _ in range(5)]

    assert verdicts == [Verdict.ANSWER, Verdict.ANSWER, Verdict.TELL, Verdict.KEEP, Verdict.KEEP]


async def test_a_burst_counts_by_its_messages(throttle):
    client = DialogueId(new_id())

    assert await throttle.judge(client, [words(), words(), words()]) is Verdict.ANSWER
    assert await throttle.judge(client, [words()]) is Verdict.TELL


async def test_each_client_has_a_rate_of_their_own(throttle):
    loud, calm = DialogueId(new_id()), DialogueId(new_id())
    for _ in range(4):
        await throttle.judge(loud, [words()])

    assert await throttle.judge(calm, [words()]) is Verdict.ANSWER


@pytest.mark.parametrize("answer", [{"action": "yes:1"}, {"proved_phone": "+79160000001"}])
async def test_an_answer_to_our_own_question_always_passes(throttle, answer):
    client = DialogueId(new_id())
    for _ in range(4):
        await throttle.judge(client, [words()])

    assert await throttle.judge(client, [Message(id="2", sent_at=AT, **answer)]) is Verdict.ANSWER


async def test_without_redis_nobody_is_limited():
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    throttle = ClientThrottle(RateLimits(gone, "p:"), per_minute=1)
    client = DialogueId(new_id())

    assert {await throttle.judge(client, [words()]) for _ in range(3)} == {Verdict.ANSWER}
    await gone.aclose()
