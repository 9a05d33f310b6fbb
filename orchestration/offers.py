"""Visits on offer: asked of the CRM, remembered for this dialogue, named to the model by opaque ids only."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from crm.base import Capability, Price, Slot, StaffId
from crm.errors import CRMRejected, CRMUnsupported
from crm.prices import sum_of
from db.booking_records import StaffTime
from db.records import Branch
from orchestration.catalogue import OfferedService
from orchestration.conversation import KeptPrice, Offer, Part
from orchestration.ports import ClaimedTimes
from orchestration.turns import Turn
from orchestration.visits import LONGEST_GAP, compose_visits
from orchestration.wording import price_text

MOST_SHOWN = 24
ALTERNATIVES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A service that is to be done in a visit; `staff_id` None: by anyone."""

    service: OfferedService
    staff_id: StaffId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for: everything in one visit, between two days (both included) of the branch's calendar.

    `earliest` and `latest` bound the start by the branch's wall clock. `in_order`: the services are done as they are
    listed; else in any order.
    """

    wanted: Sequence[Wanted]
    first: date
    last: date
    earliest: time = time.min
    latest: time = time.max
    in_order: bool = False

    @property
    def services(self) -> list[OfferedService]:
        return [one.service for one in self.wanted]


async def find_offers(turn: Turn, branch: Branch, search: Search, claimed: ClaimedTimes) -> tuple[Offer, ...]:
    """Ask the CRM for free times and remember them as offers of this dialogue. Raises CRMError.

    Too many are thinned evenly.
    """
    visits = await _free_visits(turn, branch, search, claimed)
    return remember(turn, branch, search.services, thin(visits, MOST_SHOWN))


async def find_alternatives(
    turn: Turn, offer: Offer, branch: Branch, services: Sequence[OfferedService], claimed: ClaimedTimes
) -> tuple[Offer, ...]:
    """Return a few visits nearest to a lost one: the same day first, then the next three days. Raises CRMError.

    They are of as many records as the lost one, or of one.
    """
    day = turn.local(offer.starts_at, branch).date()
    wanted = [Wanted(service=service) for service in services]
    for first, last in ((day, day), (day + timedelta(days=1), day + timedelta(days=3))):
        search = Search(wanted=wanted, first=first, last=last)
        visits = await _free_visits(turn, branch, search, claimed, in_one_record=len(offer.parts) == 1)
        if visits:
            nearest = sorted(visits, key=lambda visit: (abs(visit[0].starts_at - offer.starts_at), visit[0].starts_at))
            chosen = sorted(nearest[:ALTERNATIVES], key=lambda visit: visit[0].starts_at)
            return remember(turn, branch, services, chosen)
    return ()


async def _free_visits(
    turn: Turn, branch: Branch, search: Search, claimed: ClaimedTimes, *, in_one_record: bool = False
) -> list[tuple[Slot, ...]]:
    """Return visits to one master who does everything in a row; only where there is none, chains of several."""

    def fits(visit: tuple[Slot, ...]) -> bool:
        return search.earliest <= turn.local(visit[0].starts_at, branch).time() <= search.latest

    in_a_row = [(slot,) for slot in await _slots_in_a_row(turn, branch, search, claimed)]
    visits: list[tuple[Slot, ...]] = [visit for visit in in_a_row if fits(visit)]
    if visits or in_one_record or len(search.wanted) == 1:
        return visits
    if Capability.CANCEL not in turn.scope.crm(branch.id).capabilities:
        # Where the second record is refused, nobody could take back the first.
        raise CRMUnsupported("visits of several records need a CRM in which they can be cancelled")
    choices = [
        await free_slots(
            turn, branch, [one.service], claimed, first=search.first, last=search.last, staff_id=one.staff_id
        )
        for one in search.wanted
    ]
    gap = turn.scope.agent.longest_gap
    longest_gap = LONGEST_GAP if gap is None else gap
    return [
        visit for visit in compose_visits(choices, longest_gap=longest_gap, in_order=search.in_order) if fits(visit)
    ]


async def _slots_in_a_row(turn: Turn, branch: Branch, search: Search, claimed: ClaimedTimes) -> list[Slot]:
    """Return the times at which one master does all of it; none where the client wants different ones."""
    masters = {one.staff_id for one in search.wanted} - {None}
    if len(masters) > 1:
        return []
    staff_id = next(iter(masters), None)
    try:
        return await free_slots(
            turn, branch, search.services, claimed, first=search.first, last=search.last, staff_id=staff_id
        )
    except (CRMRejected, CRMUnsupported):
        # This master does not do all of it, or this CRM keeps one service in a record.
        if len(search.wanted) == 1:
            raise
        return []


async def free_slots(
    turn: Turn,
    branch: Branch,
    services: Sequence[OfferedService],
    claimed: ClaimedTimes,
    *,
    first: date,
    last: date,
    staff_id: StaffId | None = None,
) -> list[Slot]:
    """Ask the CRM, and leave out what begins before the salon takes bookings and what somebody is booking already."""
    crm = turn.scope.crm(branch.id)
    rules = await crm.get_rules()
    service_ids = [service.id for service in services]
    slots = await crm.get_available_slots(service_ids, first=first, last=last, staff_id=staff_id)
    return await _unclaimed(
        turn, branch, [slot for slot in slots if slot.starts_at >= turn.now + rules.lead_time], claimed
    )


async def _unclaimed(turn: Turn, branch: Branch, slots: list[Slot], claimed: ClaimedTimes) -> list[Slot]:
    if not slots:
        return []
    times = [
        StaffTime(branch_id=branch.id, staff_id=slot.staff.id, starts_at=slot.starts_at, duration=slot.duration)
        for slot in slots
    ]
    first, last = min(time.starts_at for time in times), max(time.starts_at + time.duration for time in times)
    taken = await claimed.list_claimed(turn.dialogue.company_id, branch.id, first=first, last=last)
    return [slot for slot, time in zip(slots, times, strict=True) if not any(time.overlaps(one) for one in taken)]


def remember(
    turn: Turn, branch: Branch, services: Sequence[OfferedService], visits: Sequence[tuple[Slot, ...]]
) -> tuple[Offer, ...]:
    """Make offers of visits: from now on this dialogue may book them."""
    known = {service.id: service for service in services}
    offers = tuple(
        Offer(
            id=f"s_{secrets.token_hex(5)}",
            branch_id=branch.id,
            parts=tuple(_part([known[id_] for id_ in slot.service_ids], slot) for slot in visit),
            shown_at=turn.now,
        )
        for visit in visits
    )
    turn.conversation = turn.conversation.with_offers(offers, turn.now)
    return offers


def thin(visits: Sequence[tuple[Slot, ...]], most: int) -> list[tuple[Slot, ...]]:
    """Take at most so many, spread evenly from the first to the last."""
    if len(visits) <= most:
        return list(visits)
    step = (len(visits) - 1) / (most - 1)
    return [visits[round(index * step)] for index in range(most)]


def told_to_model(turn: Turn, offer: Offer, branch: Branch) -> dict[str, Any]:
    """Say an offer as a tool's result; what each master does and when, where there are several."""
    day = turn.local(offer.starts_at, branch).date()
    told = {
        "slot_id": offer.id,
        "date": day.isoformat(),
        "weekday": turn.texts.weekday(day),
        "time": _clock(turn, offer, branch),
        "service": ", ".join(offer.service_names),
        "staff": offer.staff_name,
        "price": price_text(turn.texts, offer.price.price()) if offer.price else "",
        "duration_min": round(offer.duration.total_seconds() / 60),
    }
    if len(offer.parts) == 1:
        return told
    parts = [
        {"service": ", ".join(part.service_names), "staff": part.staff_name, "time": _clock(turn, part, branch)}
        for part in offer.parts
    ]
    return {**told, "parts": parts}


def total_price(services: Sequence[OfferedService], slot: Slot) -> Price | None:
    """Return what a part costs: the CRM's sum where it says one, else the services' own prices added up."""
    return slot.price or sum_of([service.terms_with(slot.staff).price for service in services])


def _part(services: Sequence[OfferedService], slot: Slot) -> Part:
    return Part(
        service_ids=tuple(service.id for service in services),
        service_names=tuple(service.name for service in services),
        staff_id=slot.staff.id,
        staff_name=slot.staff.name,
        starts_at=slot.starts_at,
        duration=slot.duration,
        price=KeptPrice.of(total_price(services, slot)),
    )


def _clock(turn: Turn, what: Offer | Part, branch: Branch) -> str:
    return turn.texts.time(turn.local(what.starts_at, branch).time())
