"""Slots on offer: asked of the CRM, remembered for this dialogue, named to the model by opaque ids only."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from crm.base import Price, Slot, StaffId
from db.records import Branch, StaffTime
from orchestration.catalogue import OfferedService
from orchestration.conversation import KeptPrice, Offer
from orchestration.ports import ClaimedTimes
from orchestration.turns import Turn
from orchestration.wording import price_text

MOST_SHOWN = 24
ALTERNATIVES = 5


async def find_offers(
    turn: Turn,
    branch: Branch,
    services: Sequence[OfferedService],
    claimed: ClaimedTimes,
    *,
    first: date,
    last: date,
    staff_id: StaffId | None = None,
    earliest: time = time.min,
    latest: time = time.max,
) -> tuple[Offer, ...]:
    """Ask the CRM for free times and remember them as offers of this dialogue. Raises CRMError.

    Times are the branch's wall clock; `earliest` and `latest` bound the start. Too many are thinned evenly.
    """
    slots = await free_slots(turn, branch, services, claimed, first=first, last=last, staff_id=staff_id)
    fitting = [slot for slot in slots if earliest <= _wall(turn, slot, branch) <= latest]
    return remember(turn, branch, services, thin(fitting, MOST_SHOWN))


async def find_alternatives(
    turn: Turn, offer: Offer, branch: Branch, services: Sequence[OfferedService], claimed: ClaimedTimes
) -> tuple[Offer, ...]:
    """Return a few free times nearest to a lost one: the same day first, then the next three days. Raises CRMError."""
    day = turn.local(offer.starts_at, branch).date()
    for first, last in ((day, day), (day + timedelta(days=1), day + timedelta(days=3))):
        slots = await free_slots(turn, branch, services, claimed, first=first, last=last)
        if slots:
            nearest = sorted(slots, key=lambda slot: (abs(slot.starts_at - offer.starts_at), slot.starts_at))
            chosen = sorted(nearest[:ALTERNATIVES], key=lambda slot: slot.starts_at)
            return remember(turn, branch, services, chosen)
    return ()


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
    turn: Turn, branch: Branch, services: Sequence[OfferedService], slots: Sequence[Slot]
) -> tuple[Offer, ...]:
    """Make offers of slots: from now on this dialogue may book them."""
    offers = tuple(_offer(turn, branch, services, slot) for slot in slots)
    turn.conversation = turn.conversation.with_offers(offers, turn.now)
    return offers


def thin(slots: Sequence[Slot], most: int) -> list[Slot]:
    """Take at most so many slots, spread evenly from the first to the last."""
    if len(slots) <= most:
        return list(slots)
    step = (len(slots) - 1) / (most - 1)
    return [slots[round(index * step)] for index in range(most)]


def told_to_model(turn: Turn, offer: Offer, branch: Branch) -> dict[str, Any]:
    """Say an offer as a tool's result."""
    at = turn.local(offer.starts_at, branch)
    return {
        "slot_id": offer.id,
        "date": at.date().isoformat(),
        "weekday": turn.texts.weekday(at.date()),
        "time": turn.texts.time(at.time()),
        "staff": offer.staff_name,
        "price": price_text(turn.texts, offer.price.price()) if offer.price else "",
        "duration_min": round(offer.duration.total_seconds() / 60),
    }


def total_price(services: Sequence[OfferedService], slot: Slot) -> Price | None:
    """Return what the visit costs: the CRM's sum where it says one, else the services' own prices added up."""
    if slot.price is not None:
        return slot.price
    prices = [service.terms_with(slot.staff).price for service in services]
    known = [price for price in prices if price is not None]
    if len(known) != len(prices) or not known or len({price.low.currency for price in known}) != 1:
        return None
    low, high = known[0].low, known[0].high or known[0].low
    for price in known[1:]:
        low = type(low)(minor_units=low.minor_units + price.low.minor_units, currency=low.currency)
        top = price.high or price.low
        high = type(high)(minor_units=high.minor_units + top.minor_units, currency=high.currency)
    return Price(low=low, high=high if high != low else None)


def _offer(turn: Turn, branch: Branch, services: Sequence[OfferedService], slot: Slot) -> Offer:
    return Offer(
        id=f"s_{secrets.token_hex(5)}",
        branch_id=branch.id,
        service_ids=tuple(service.id for service in services),
        service_names=tuple(service.name for service in services),
        staff_id=slot.staff.id,
        staff_name=slot.staff.name,
        starts_at=slot.starts_at,
        duration=slot.duration,
        price=KeptPrice.of(total_price(services, slot)),
        shown_at=turn.now,
    )


def _wall(turn: Turn, slot: Slot, branch: Branch) -> time:
    return turn.local(slot.starts_at, branch).time()
