"""Waiting lists, consents and ratings in PostgreSQL: order, what cannot be there twice, what goes when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db.clients import Clients
from db.consents import Consents
from db.dialogues import Dialogues
from db.outreach_log import OutreachLog
from db.outreach_models import consents, freed_times, outreach_log, ratings, waiting_list, waiting_offers
from db.outreach_records import (
    ASKED,
    Consent,
    ConsentKind,
    FreedOutcome,
    MessageKind,
    OfferOutcome,
    Rating,
    WaitingEntry,
    WaitingOffer,
    WaitingStatus,
)
from db.personal_data import PersonalData
from db.privacy import Retention
from db.ratings import Ratings
from db.records import WorkKind, dialogue_id_of, new_id
from db.retention import RetentionSweeps
from db.waiting_list import WaitingList
from db.waiting_offers import WaitingOffers, free_time

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class List:
    """A company's waiting list, with dialogues that have begun."""

    def __init__(self, core, channel, branch_id):
        self.core, self.channel, self.branch_id = core, channel, branch_id

    def open(self):
        return self.core.database.company(self.channel.company_id)

    async def begin(self, tx, key):
        dialogue_id = dialogue_id_of(self.channel.id, key)
        values = {"channel_id": self.channel.id, "dialogue_id": dialogue_id, "key": key, "now": self.core.clock()}
        return await Dialogues().open_dialogue(tx, **values)

    async def wait(self, tx, key="5:5:", **changes):
        now = self.core.clock()
        entry = WaitingEntry(
            id=new_id(),
            branch_id=self.branch_id,
            dialogue_id=(await self.begin(tx, key)).id,
            service_ids=("501",),
            service_names=("Стрижка",),
            staff_id=None,
            staff_name="",
            first_day=now.date(),
            last_day=now.date() + 2 * DAY,
            earliest=None,
            latest=None,
            created_at=now,
            asked_at=now,
        )
        entry = replace(entry, **changes)
        await WaitingList().add(tx, entry)
        return entry

    async def free(self, tx, record="7", *, after=DAY):
        now = self.core.clock()
        kept = await free_time(
            tx, self.branch_id, record, staff_name="Анна", starts_at=now + after, duration=HOUR, now=now
        )
        freed = await WaitingOffers().list_freed(tx, limit=10)
        return freed[-1] if kept else None

    async def offer(self, tx, freed, entry, **changes):
        now = self.core.clock()
        offer = WaitingOffer(
            id=new_id(),
            freed_id=freed.id,
            entry=entry,
            staff_id="101",
            starts_at=freed.starts_at,
            offered_at=now,
            expires_at=now + timedelta(minutes=15),
        )
        offer = replace(offer, **changes)
        await WaitingOffers().add(tx, offer)
        return offer

    async def line(self, tx, freed):
        day = freed.starts_at.date()
        return [one.id for one in await WaitingList().list_in_line(tx, freed.id, self.branch_id, day, limit=10)]

    async def count(self, *tables):
        async with self.open() as tx:
            return [await tx.connection.scalar(select(func.count()).select_from(table)) for table in tables]


@pytest.fixture
async def queue(core, channel):
    snapshot = await core.companies.get_snapshot(channel.company_id)
    return List(core, channel, snapshot.branches[0].id)


async def test_those_who_asked_first_come_first_and_whoever_was_offered_it_is_out_of_its_line(queue):
    async with queue.open() as tx:
        first, second = await queue.wait(tx, "1:1:"), await queue.wait(tx, "2:2:")
        await queue.wait(tx, "3:3:", first_day=queue.core.clock().date() + 2 * DAY)
        freed, other = await queue.free(tx), await queue.free(tx, "8")
        assert await queue.line(tx, freed) == [first.id, second.id]

        offer = await queue.offer(tx, freed, first)
        # Nor is another time offered to them meanwhile.
        assert await queue.line(tx, other) == [second.id]
        await WaitingOffers().settle(tx, offer.id, OfferOutcome.DECLINED)

        assert await queue.line(tx, freed) == [second.id]
        assert await queue.line(tx, other) == [first.id, second.id]


@pytest.mark.parametrize("same", ["time", "client", "both"])
async def test_one_offer_stands_for_a_time_and_for_a_client_and_none_comes_twice(queue, same):
    async with queue.open() as tx:
        first, second = await queue.wait(tx, "1:1:"), await queue.wait(tx, "2:2:")
        freed, other = await queue.free(tx), await queue.free(tx, "8")
        offer = await queue.offer(tx, freed, first)
        if same == "both":
            await WaitingOffers().settle(tx, offer.id, OfferOutcome.EXPIRED)
    again = {"time": (freed, second), "client": (other, first), "both": (freed, first)}[same]

    with pytest.raises(IntegrityError):
        async with queue.open() as tx:
            await queue.offer(tx, *again)


async def test_a_freed_time_is_kept_where_somebody_waits_once_and_rung_for(queue):
    async with queue.open() as tx:
        assert await queue.free(tx) is None
        await queue.wait(tx)
        assert await queue.free(tx, after=-HOUR) is None
        assert await queue.free(tx, after=9 * DAY) is None
        freed = await queue.free(tx)
        assert await queue.free(tx) is None
    async with queue.open() as tx:
        await WaitingOffers().close(tx, freed.id, FreedOutcome.NOBODY, now=queue.core.clock())
        # Told again when it is over, it is no news either.
        assert await queue.free(tx) is None

    assert await queue.core.work.next_due_in(WorkKind.WAITING) == timedelta(0)


async def test_an_offer_is_found_by_its_own_client_alone_and_says_whether_it_went_on(queue):
    async with queue.open() as tx:
        first, second = await queue.wait(tx, "1:1:"), await queue.wait(tx, "2:2:")
        freed = await queue.free(tx)
        offer = await queue.offer(tx, freed, first)
        assert await WaitingOffers().find(tx, offer.id, [second.dialogue_id]) is None
        assert not (await WaitingOffers().find(tx, offer.id, [first.dialogue_id])).passed_on

        await WaitingOffers().settle(tx, offer.id, OfferOutcome.EXPIRED)
        await queue.offer(tx, freed, second)
        assert (await WaitingOffers().find(tx, offer.id, [first.dialogue_id])).passed_on
        # What stands no more is not changed by a late word.
        assert not await WaitingOffers().settle(tx, offer.id, OfferOutcome.TAKEN)


async def test_the_week_counts_what_nobody_asked_for_over_all_dialogues_of_a_person(queue):
    now = queue.core.clock()
    async with queue.open() as tx:
        one, two = [(await queue.begin(tx, key)).id for key in ("1:1:", "2:2:")]
        log = OutreachLog()
        await log.take_turns(tx)
        assert await log.add(tx, one, MessageKind.OFFER, "a", requested=True, now=now)
        assert await log.last_counted(tx, [one, two], MessageKind.WIN_BACK) is None
        assert await log.last_counted(tx, [one, two], MessageKind.OFFER) == now
        assert await log.add(tx, two, MessageKind.THANKS, "b", requested=False, now=now - DAY)
        assert not await log.add(tx, two, MessageKind.THANKS, "b", requested=False, now=now)

        assert await log.last_counted(tx, [one, two], MessageKind.WIN_BACK) == now - DAY
        assert await log.last_counted(tx, [one], MessageKind.WIN_BACK) is None


async def test_a_yes_is_withdrawn_and_stays_to_be_seen(queue):
    now = queue.core.clock()
    async with queue.open() as tx:
        dialogue_id = (await queue.begin(tx, "1:1:")).id
        given = Consent(kind=ConsentKind.WIN_BACK, channel="telegram", wording_version="v", given_at=now - DAY)
        await Consents().add(tx, dialogue_id, given)
        await Consents().withdraw(tx, [dialogue_id], now=now)

        assert await Consents().list_of(tx, [dialogue_id]) == [replace(given, withdrawn_at=now)]


async def rated(queue, tx, at):
    rating = Rating(
        id=new_id(),
        visit=str(new_id()),
        dialogue_id=(await queue.begin(tx, "5:5:")).id,
        branch_id=queue.branch_id,
        service_names=("Стрижка",),
        staff_name="Анна",
        starts_at=at,
        outcome=ASKED,
    )
    assert await Ratings().decide(tx, rating, now=at)
    assert not await Ratings().decide(tx, replace(rating, id=new_id()), now=at)
    return rating


async def test_the_first_stars_stand(queue):
    now = queue.core.clock()
    async with queue.open() as tx:
        rating = await rated(queue, tx, now)
        assert (await Ratings().find_open(tx, [rating.dialogue_id], since=now - DAY)).id == rating.id
        await Ratings().rate(tx, rating.id, 2, now=now)
        await Ratings().rate(tx, rating.id, 5, now=now)

        assert (await Ratings().find(tx, rating.id, [rating.dialogue_id])).stars == 2
        assert await Ratings().find_open(tx, [rating.dialogue_id], since=now - DAY) is None
        assert await Ratings().find(tx, rating.id, [dialogue_id_of(queue.channel.id, "6:6:")]) is None


async def everything(queue, tx, *, ago):
    """One row of each kind, of so long ago; the entry waits no more."""
    at = queue.core.clock() - ago
    entry = await queue.wait(tx, created_at=at, asked_at=at)
    freed = await queue.free(tx, str(new_id()))
    await queue.offer(tx, freed, entry, outcome=OfferOutcome.DECLINED)
    await tx.connection.execute(freed_times.update().where(freed_times.c.id == freed.id).values(created_at=at))
    await WaitingList().close(tx, WaitingStatus.LEFT, now=at, entries=[entry.id])
    await OutreachLog().add(tx, entry.dialogue_id, MessageKind.OFFER, str(new_id()), requested=True, now=at)
    given = Consent(kind=ConsentKind.WAITING_LIST, channel="telegram", given_at=at)
    await Consents().add(tx, entry.dialogue_id, given)
    await Ratings().explain(tx, (await rated(queue, tx, at)).id, "words")
    return entry


async def test_what_is_old_goes_by_the_companys_days_and_what_waits_stays(queue):
    now, keep = queue.core.clock(), Retention(texts=30, clients=60)
    async with queue.open() as tx:
        for ago in (90 * DAY, 40 * DAY, DAY):
            await everything(queue, tx, ago=ago)
        await queue.wait(tx, created_at=now - 90 * DAY, asked_at=now - 90 * DAY)
    async with queue.open() as tx:
        await RetentionSweeps().sweep(tx, keep, now=now)

    # A consent goes with the client alone.
    assert await queue.count(waiting_list, waiting_offers, freed_times, ratings, outreach_log, consents) == [
        2,
        1,
        1,
        1,
        2,
        3,
    ]


async def test_who_asks_to_be_forgotten_leaves_figures_alone(queue):
    async with queue.open() as tx:
        entry = await everything(queue, tx, ago=DAY)
        await Clients().erase(tx, await Dialogues().find_dialogue(tx, entry.dialogue_id))
        comments = list(await tx.connection.scalars(select(ratings.c.comment)))

    assert await queue.count(waiting_list, waiting_offers, outreach_log, consents) == [0, 0, 0, 0]
    assert comments == [None]


async def test_export_and_erasure_hold_all_of_it(queue):
    async with queue.open() as tx:
        entry = await everything(queue, tx, ago=DAY)
        subject = await PersonalData().find_by_dialogue(tx, entry.dialogue_id)
        told = await PersonalData().collect(tx, subject)
        gone = await PersonalData().delete(tx, subject, accepted_until=queue.core.clock())

    names = {"waiting_list", "waiting_offers", "outreach_log", "consents", "ratings"}
    assert {name for name in names if len(told[name]) == 1} == names
    assert {name: gone[name] for name in names} == dict.fromkeys(names, 1)
