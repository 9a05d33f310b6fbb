"""What the base tells of itself and offers, kept some minutes: each call may cost it a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from crm.base import Appointment, BookingRules, Cache, Price, Service, ServiceId, Staff, StaffId
from crm.errors import CRMNotConfigured, CRMNotFound
from crm.kept import Kept
from crm.one_c.service.client import OneCServiceClient
from crm.one_c.service.meaning import appointment_of, currency_of, rules_of, service_of, staff_of, zone_of
from crm.one_c.service.wire import WireAppointment, WireInfo, WireService, WireStaff

KEPT = timedelta(minutes=10)
VERSION = "1"

_INFO = TypeAdapter(WireInfo)
_SERVICES = TypeAdapter(tuple[WireService, ...])
_STAFF = TypeAdapter(tuple[WireStaff, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The base's own facts. `currency` None: not known, so no price is told."""

    rules: BookingRules
    currency: str | None
    told_zone: str
    parts: frozenset[str]

    @property
    def zone(self) -> ZoneInfo:
        return self.rules.time_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an appointment does not say of itself: got before a write, as nothing may fail after it."""

    branch: Branch
    titles: Mapping[str, str]
    names: Mapping[str, Staff]

    def appointment(self, wire: WireAppointment) -> Appointment:
        branch = self.branch
        return appointment_of(wire, zone=branch.zone, currency=branch.currency, titles=self.titles, names=self.names)


class Catalogue:
    """Cached reads of one base. `time_zone` holds where the service names none."""

    def __init__(self, client: OneCServiceClient, cache: Cache, scope: str, *, time_zone: ZoneInfo) -> None:
        self._client = client
        self._kept = Kept(cache, scope)
        self._time_zone = time_zone

    async def get_branch(self) -> Branch:
        """Raises CRMNotConfigured where the service speaks another version of the contract."""
        info = await self._kept.get("info", _INFO, self._client.get_info, ttl=KEPT)
        if info.version.partition(".")[0] not in ("", VERSION):
            raise CRMNotConfigured(f"1c: the HTTP service speaks version {info.version[:20]}, and not {VERSION}")
        return Branch(
            rules=rules_of(info, zone=zone_of(info, fallback=self._time_zone)),
            currency=currency_of(info),
            told_zone=info.timezone,
            parts=frozenset(info.capabilities),
        )

    async def list_services(self) -> tuple[WireService, ...]:
        return await self._kept.get("services", _SERVICES, self._client.list_services, ttl=KEPT)

    async def list_staff(self) -> tuple[Staff, ...]:
        found = await self._kept.get("staff", _STAFF, self._client.list_staff, ttl=KEPT)
        return tuple(staff_of(one) for one in found)

    async def know_staff(self, staff_ids: Iterable[str]) -> bool:
        """Say whether masters are to be read again: one of these was not among those kept, which are so no more."""
        if {one.id for one in await self.list_staff()}.issuperset(staff_ids):
            return False
        await self._kept.forget("staff")
        return True

    async def get_services(self) -> tuple[Service, ...]:
        branch = await self.get_branch()
        return tuple(service_of(one, currency=branch.currency) for one in await self.list_services())

    async def require_services(self, service_ids: Sequence[ServiceId]) -> tuple[WireService, ...]:
        """Return the services named. Raises CRMNotFound where one is not offered, or none is named."""
        offered = {one.id: one for one in await self.list_services()}
        missing = [one for one in service_ids if one not in offered]
        if missing or not service_ids:
            raise CRMNotFound(f"services that are not offered: {', '.join(missing) or 'none named'}")
        return tuple(offered[one] for one in service_ids)

    async def get_masters(self, service_ids: Sequence[ServiceId]) -> tuple[Staff, ...]:
        """Return the masters who do all of these, in the base's own order. Raises CRMNotFound as above."""
        services = await self.require_services(service_ids)
        return tuple(one for one in await self.list_staff() if all(service.is_done_by(one.id) for service in services))

    async def get_prices(self, service_ids: Sequence[ServiceId]) -> Callable[[StaffId], list[Price | None]]:
        """Return what tells each service's price with a master."""
        offered = {one.id: one for one in await self.get_services()}
        services = [offered[one] for one in service_ids]
        return lambda staff_id: [one.terms_with(staff_id).price for one in services]

    async def get_facts(self) -> Facts:
        services, staff = await self.list_services(), await self.list_staff()
        return Facts(
            branch=await self.get_branch(),
            titles={one.id: one.name.strip() for one in services},
            names={one.id: one for one in staff},
        )
