"""What a branch offers: the CRM's services told in the company's own words.

Where the CRM gives a price or duration it wins; the company's file adds descriptions, questions to ask before, and who
books.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crm.base import (
    BaseCRMAdapter,
    Capability,
    Money,
    Prepayment,
    Price,
    Service,
    ServiceId,
    Staff,
    StaffId,
    Terms,
)
from db.catalogue import Booking, CatalogueService, PriceRange
from db.records import AgentSettings, Branch
from orchestration.scope import CompanyScope


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedService:
    """One service of a branch. `id` is the CRM's; where the CRM does not know the service it is its name."""

    id: ServiceId
    name: str
    terms: Terms
    by_staff: Mapping[StaffId, Terms] = field(default_factory=dict)
    description: str | None = None
    booking: Booking = Booking.AGENT
    link: str | None = None
    ask_before: tuple[str, ...] = ()
    prepayment: Prepayment = Prepayment.NONE

    def terms_with(self, staff: Staff | None) -> Terms:
        """Return price and duration with a master, each falling back to what holds for any."""
        special = self.by_staff.get(staff.id) if staff else None
        if special is None:
            return self.terms
        return Terms(price=special.price or self.terms.price, duration=special.duration or self.terms.duration)


async def list_offered_services(scope: CompanyScope, branch: Branch | None) -> tuple[OfferedService, ...]:
    """Return what can be booked at the branch, and what the company's file adds that only a person books.

    Raises CRMError where the CRM cannot be asked. Without a CRM the file alone speaks.
    """
    described = scope.agent.services
    if branch is None or not scope.has_crm:
        return tuple(_from_file(scope.agent, service, branch) for service in described)
    crm = scope.crm(branch.id)
    if Capability.CATALOGUE not in crm.capabilities:
        return await _as_bookable(crm, [_from_file(scope.agent, service, branch) for service in described])
    services = await crm.get_services()
    staff = {person.id: person for person in await crm.get_staff()}
    told = {service.id: find_description(described, service.id, service.title) for service in services}
    offered = [_merge(scope.agent, service, told[service.id], branch, staff) for service in services]
    known = {id(found) for found in told.values() if found is not None}
    # A service that the CRM does not open for online booking is still told about; a person books it.
    offered += [
        _from_file(scope.agent, service, branch, booking=_by_hand(service))
        for service in described
        if id(service) not in known
    ]
    return await _as_bookable(crm, offered)


async def find_services(scope: CompanyScope, branch: Branch, service_ids: Sequence[str]) -> list[OfferedService]:
    """Return those of the services that are offered still, in the order of the ids. Raises CRMError."""
    offered = {str(service.id): service for service in await list_offered_services(scope, branch)}
    return [offered[id_] for id_ in service_ids if id_ in offered]


async def _as_bookable(crm: BaseCRMAdapter, offered: Sequence[OfferedService]) -> tuple[OfferedService, ...]:
    """Say of each service who books it where we cannot: the client on the CRM's own page, else a person."""
    if Capability.CREATE in crm.capabilities:
        return tuple(offered)
    booking, page = Booking.PERSON, None
    if Capability.BOOKING_PAGE in crm.capabilities:
        booking, page = Booking.LINK, await crm.get_booking_page()
    return tuple(
        replace(service, booking=booking, link=service.link or page) if service.booking is Booking.AGENT else service
        for service in offered
    )


def find_description(
    described: tuple[CatalogueService, ...], service_id: ServiceId, title: str
) -> CatalogueService | None:
    """Return the file's entry for a CRM service: by its CRM id, else by its name."""
    for service in described:
        if service.crm_id is not None and service.crm_id == service_id:
            return service
    return next((s for s in described if s.crm_id is None and s.name.casefold() == title.strip().casefold()), None)


def _by_hand(service: CatalogueService) -> Booking:
    return Booking.PERSON if service.booking is Booking.AGENT else service.booking


def _merge(
    agent: AgentSettings,
    service: Service,
    told: CatalogueService | None,
    branch: Branch,
    staff: Mapping[StaffId, Staff],
) -> OfferedService:
    if told is None:
        return OfferedService(
            id=service.id,
            name=service.title,
            terms=service.terms,
            by_staff=service.by_staff,
            description=service.description,
            prepayment=service.prepayment,
            link=service.booking_url,
        )
    own = _file_terms(agent, told, branch, None)
    by_staff = {}
    for person in staff.values():
        crm_terms = service.by_staff.get(person.id, Terms())
        file_terms = _file_terms(agent, told, branch, person)
        # Said for this very master beats said for any; within each, the CRM beats the file.
        terms = Terms(
            price=crm_terms.price or service.terms.price or file_terms.price,
            duration=crm_terms.duration or service.terms.duration or file_terms.duration,
        )
        by_staff[person.id] = terms
    return OfferedService(
        id=service.id,
        name=told.name,
        terms=Terms(price=service.terms.price or own.price, duration=service.terms.duration or own.duration),
        by_staff=by_staff,
        description=told.description or service.description,
        booking=told.booking,
        link=told.link or service.booking_url,
        ask_before=told.ask_before,
        prepayment=service.prepayment,
    )


def _from_file(
    agent: AgentSettings, service: CatalogueService, branch: Branch | None, *, booking: Booking | None = None
) -> OfferedService:
    return OfferedService(
        id=ServiceId(service.crm_id or service.name),
        name=service.name,
        terms=_file_terms(agent, service, branch, None),
        description=service.description,
        booking=booking or service.booking,
        link=service.link,
        ask_before=service.ask_before,
    )


def _file_terms(agent: AgentSettings, service: CatalogueService, branch: Branch | None, staff: Staff | None) -> Terms:
    """Return the file's price and duration; an override that names more (branch, master) beats one that names less."""
    price, duration = service.price, service.duration
    fitting = [
        override
        for override in service.overrides
        if override.branch in (None, branch.key if branch else None)
        and override.master in (None, staff.name if staff else None)
    ]
    for override in sorted(fitting, key=lambda o: (o.master is not None) * 2 + (o.branch is not None)):
        price = override.price or price
        duration = override.duration or duration
    return Terms(price=to_price(price, agent.currency) if price else None, duration=duration)


def to_price(price: PriceRange, currency: str) -> Price:
    """Turn the file's price into the CRM port's."""
    high = Money(minor_units=price.high, currency=currency) if price.high is not None else None
    return Price(low=Money(minor_units=price.low, currency=currency), high=high)
