"""Shares: a company with thousands of rows neither takes everything nor holds the others up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from db.records import Accepted, CompanyId, WorkKind, new_id
from db.work import Share

TURN = WorkKind.TURN
LEASE = timedelta(seconds=12)


async def write(core, channel, dialogues):
    updates = [Accepted(update_key=f"{n}", dialogue_key=f"{n}:{n}:", payload=b"{}") for n in range(dialogues)]
    await core.intake.accept(channel, updates, quiet=timedelta(0))


async def filled(core, held):
    """Claim for twenty places until nothing more may be had; return who holds how many."""
    while claims := await core.work.claim(
        "w", limit=20 - held.total(), ttl=LEASE, kind=TURN, share=Share.of(held, places=20)
    ):
        held.update(claim.company_id for claim in claims)
    return held


@pytest.fixture
async def flood(core, clock, make_channel):
    """A company with a thousand dialogues waiting, and two that came after it with one each."""
    loud = await make_channel("loud")
    await write(core, loud, 1000)
    clock.advance(timedelta(seconds=1))
    for slug in ("calm", "quiet"):
        await write(core, await make_channel(slug), 1)
    clock.advance(timedelta(seconds=1))
    return loud.company_id


async def test_a_company_alone_fills_half_of_the_places_and_leaves_the_rest_to_others(core, flood):
    claims = await core.work.claim("w", limit=20, ttl=LEASE, kind=TURN, share=Share.of({}, places=20))

    assert Counter(claim.company_id for claim in claims)[flood] == 10


async def test_one_that_comes_after_a_flood_does_not_wait_for_its_end(core, flood):
    held = Counter()
    for _ in range(2):
        share = Share.of(held, places=20)
        claims = await core.work.claim("w", limit=20 - held.total(), ttl=LEASE, kind=TURN, share=share)
        held.update(claim.company_id for claim in claims)

    assert sorted(held.values()) == [1, 1, 10]


async def test_a_company_at_its_share_is_not_waited_for_either(core, flood, clock):
    full = Share.of({flood: 10}, places=20)
    await core.work.claim("w", limit=20, ttl=LEASE, kind=TURN, share=full)

    assert await core.work.next_due_in(TURN, share=full) is None
    assert await core.work.next_due_in(TURN) == timedelta(0)


async def test_among_waiting_companies_the_first_of_each_comes_before_the_second_of_any(core, clock, make_channel):
    channels = [await make_channel(slug) for slug in ("one", "two", "three")]
    for channel in channels:
        await write(core, channel, 5)
        clock.advance(timedelta(seconds=1))

    claims = await core.work.claim("w", limit=6, ttl=LEASE, kind=TURN)

    assert Counter(claim.company_id for claim in claims) == {channel.company_id: 2 for channel in channels}


async def test_places_that_others_do_not_need_are_not_kept_for_them(core, flood):
    others = {CompanyId(new_id()): 1 for _ in range(9)}

    held = await filled(core, Counter(others))

    # Eleven were free: half of them are the flood's, and there is room for those that came after it.
    assert held[flood] == 6
    assert sorted(held.values()) == [1] * 11 + [6]


@pytest.mark.parametrize("companies", [1, 2, 3, 7, 19, 25])
async def test_there_is_always_room_for_one_company_more(core, make_channel, companies):
    for number in range(companies):
        await write(core, await make_channel(f"flood-{number}"), max(3, 24 // companies))

    held = await filled(core, Counter())

    if companies < 20:
        assert held.total() < 20
        assert max(held.values()) - min(held.values()) <= 1
        assert set(Share.of(held, places=20).full) == set(held)
    else:
        assert list(held.values()) == [1] * 20
