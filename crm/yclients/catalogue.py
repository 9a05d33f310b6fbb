"""What a branch offers online, kept a few minutes: the vendor counts calls over all companies together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from crm.base import BookingRules, Cache, Service, ServiceId, StaffId, Terms
from crm.errors import CRMNotConfigured, CRMNotFound
from crm.kept import Kept
from crm.together import all_of
from crm.yclients.access import Access
from crm.yclients.client import YclientsClient
from crm.yclients.meaning import currency_of, rules_of, service_of, terms_of, widget_of, zone_of
from crm.yclients.wire import Rows, WireBookServices, WireCompany, WireStaff

T = TypeVar("T")

KEPT = timedelta(minutes=10)
STAFF_KEPT = timedelta(minutes=5)
"""Whether a master has free time at all changes with bookings, so it is asked again sooner."""
MOST_MASTERS = 40
"""Own prices and durations are asked of so many masters at most, a call each."""

_COMPANY = TypeAdapter(WireCompany)
_SERVICES = TypeAdapter(WireBookServices)
_STAFF: TypeAdapter[tuple[WireStaff, ...]] = TypeAdapter(Rows[WireStaff])


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The branch's own facts. `currency` None: not known, so no price is told."""

    rules: BookingRules
    currency: str | None
    booking_url: str | None

    @property
    def zone(self) -> ZoneInfo:
        return self.rules.time_zone


class Catalogue:
    """Cached reads of one account. `time_zone` holds where the CRM names none."""

    def __init__(self, client: YclientsClient, cache: Cache, access: Access, *, time_zone: ZoneInfo) -> None:
        self._client = client
        self._kept = Kept(cache, access.scope)
        self._access = access
        self._time_zone = time_zone

    async def get_branch(self) -> Branch:
        company = await self._kept.get("company", _COMPANY, self._of_the_branch(self._client.get_company), ttl=KEPT)
        zone = zone_of(company, fallback=self._time_zone)
        return Branch(
            rules=rules_of(company, zone=zone),
            currency=currency_of(company, flavour=self._access.flavour),
            booking_url=self._access.widget_url or widget_of(company),
        )

    async def get_offered(self) -> WireBookServices:
        return await self._kept.get("services", _SERVICES, self._of_the_branch(self._client.get_services), ttl=KEPT)

    async def list_staff(self, service_ids: Sequence[str] = ()) -> tuple[WireStaff, ...]:
        """Return the masters shown online who do all the services, those without free time included."""
        key = "staff:" + ",".join(sorted(service_ids))
        found = await self._kept.get(key, _STAFF, lambda: self._client.list_staff(service_ids), ttl=STAFF_KEPT)
        return tuple(sorted(found, key=lambda one: -(one.weight or 0)))

    async def get_terms(self, staff_id: str) -> Mapping[str, Terms]:
        """Return a master's own prices and durations by service id: what they can be booked for online."""
        branch = await self.get_branch()
        offered = await self._kept.get(
            f"terms:{staff_id}", _SERVICES, lambda: self._client.get_services(staff_id=staff_id), ttl=KEPT
        )
        return {wire.id: terms_of(wire, branch.currency) for wire in offered.services}

    async def get_services(self) -> tuple[Service, ...]:
        branch, offered = await self.get_branch(), await self.get_offered()
        masters = [one for one in await self.list_staff() if one.bookable][:MOST_MASTERS]
        own = await all_of([self._own_terms(one.id) for one in masters])
        categories = {one.id: one.title for one in offered.categories}
        return tuple(
            service_of(
                wire,
                terms=terms_of(wire, branch.currency),
                by_staff={
                    StaffId(one.id): terms[wire.id] for one, terms in zip(masters, own, strict=True) if wire.id in terms
                },
                category=categories.get(wire.category_id) or None,
                booking_url=branch.booking_url,
            )
            for wire in offered.services
        )

    async def require_services(self, service_ids: Sequence[ServiceId]) -> None:
        """Raise CRMNotFound where one of the services cannot be booked online, or none is named."""
        offered = {wire.id for wire in (await self.get_offered()).services}
        missing = [one for one in service_ids if one not in offered]
        if missing or not service_ids:
            raise CRMNotFound(f"services that are not open for online booking: {', '.join(missing) or 'none named'}")

    def _own_terms(self, staff_id: str) -> Callable[[], Awaitable[Mapping[str, Terms]]]:
        return lambda: self.get_terms(staff_id)

    @staticmethod
    def _of_the_branch(load: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """A 404 without a filter is the branch's own: its id is wrong."""

        async def loading() -> T:
            try:
                return await load()
            except CRMNotFound as error:
                raise CRMNotConfigured(f"company_id: the CRM knows no such branch ({error})") from error

        return loading
