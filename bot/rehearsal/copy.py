"""A copy of a company's business for the stage: what its own CRM offers now, without anybody's appointments."""

from __future__ import annotations

from datetime import time

from crm.base import Capability, Price, Staff, StaffId
from db.catalogue import Booking
from db.records import Branch
from orchestration.catalogue import OfferedService, list_offered_services
from orchestration.scope import CompanyScope
from sandbox.business import Business, BusinessMaster, BusinessService

_OPEN, _CLOSES = time(9), time(21)
_MINUTES = 60


class NothingToCopy(Exception):
    """The company has no branch or no service; the message says what is missing."""


async def copy_business(scope: CompanyScope, *, anyone: str) -> Business:
    """Return the first branch's business: services, masters, hours. `anyone`: the master where none is known.

    Raises NothingToCopy, and CRMError where the company's CRM cannot be asked.
    """
    if not scope.branches:
        raise NothingToCopy("the company has no branch")
    branch = scope.branches[0]
    offered = await list_offered_services(scope, branch)
    if not offered:
        raise NothingToCopy("the company has no services: neither its file nor its CRM names one")
    staff = await _staff(scope, branch)
    masters = {person.id: person for person in staff}
    names = tuple(person.name for person in staff) or (anyone,)
    return Business(
        title=scope.company.name,
        time_zone=branch.time_zone,
        address=branch.address or "",
        services=tuple(_service(one, masters, names) for one in offered),
        masters=tuple(BusinessMaster(name=one.name, specialization=one.specialization or "") for one in staff)
        or (BusinessMaster(name=anyone),),
        hours=_hours(branch),
        currency=scope.agent.currency,
    )


async def _staff(scope: CompanyScope, branch: Branch) -> tuple[Staff, ...]:
    if not scope.has_crm or Capability.CATALOGUE not in scope.crm(branch.id).capabilities:
        return ()
    return await scope.crm(branch.id).get_staff()


def _service(one: OfferedService, masters: dict[StaffId, Staff], names: tuple[str, ...]) -> BusinessService:
    who = tuple(masters[id_].name for id_ in one.by_staff if id_ in masters) or names
    low, high = _whole(one.terms.price)
    return BusinessService(
        title=one.name,
        low=low,
        high=high,
        minutes=round(one.terms.duration.total_seconds() / 60) if one.terms.duration else _MINUTES,
        masters=who,
        prepaid=one.booking is Booking.LINK,
        online=one.booking is not Booking.PERSON,
    )


def _whole(price: Price | None) -> tuple[int, int]:
    if price is None:
        return 0, 0
    low = price.low.minor_units // 100
    return low, price.high.minor_units // 100 if price.high else low


def _hours(branch: Branch) -> dict[int, tuple[time, time]]:
    """Return each weekday from its first opening to its last closing; without hours, what a usual day has."""
    if branch.hours is None or not branch.hours.weekly:
        return dict.fromkeys(range(7), (_OPEN, _CLOSES))
    return {
        day: (intervals[0].opens, intervals[-1].closes if intervals[-1].closes != time.min else time(23, 59))
        for day, intervals in branch.hours.weekly.items()
        if intervals
    }
