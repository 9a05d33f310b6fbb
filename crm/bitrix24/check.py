"""What `crm check` and `crm mapping` tell of a portal: everything the rights allow that leaves no trace."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import CheckLine, CheckStatus, MappingLine, ServiceId
from crm.bitrix24.access import CALENDAR, Access
from crm.bitrix24.calendar import CalendarDiary, diary_of
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.contacts import CONTACT
from crm.bitrix24.slots import SlotSearch
from crm.bitrix24.wire import WireContacts, WireProperty, WireScopes
from crm.checking import try_all
from crm.errors import CRMError, CRMNotConfigured, CRMUnsupported
from crm.kept import NoCache

OK, WARNING, FAILED = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED
WEEK = timedelta(days=6)


class Check:
    def __init__(self, client: Bitrix24Client, access: Access, *, zone: ZoneInfo, clock: Clock) -> None:
        self._client = client
        self._access = access
        self._zone = zone
        self._clock = clock
        self._diary = diary_of(client, NoCache(), access, zone=zone)
        self._catalogue = Catalogue(client, NoCache(), access, self._diary)

    async def run(self) -> tuple[CheckLine, ...]:
        """Return a line per thing tried. A step that fails says so and ends nothing."""
        steps = {
            "rights": self._check_rights,
            "field": self._check_field,
            "services": self._check_services,
            "staff": self._check_staff,
            "free times": self._check_times,
            "clients": self._check_clients,
        }
        lines = await try_all(steps, hint=self._hint)
        detail = "the portal tells of bookings at once" if self._access.application_token else "set no token for events"
        lines.append(
            CheckLine(subject="events", status=OK if self._access.application_token else WARNING, detail=detail)
        )
        return tuple(lines)

    async def describe_mapping(self) -> tuple[MappingLine, ...]:
        """Return what carries a service's minutes and masters, and which other properties there are."""
        found = {one.id: one for one in await self._catalogue.list_properties()}
        chosen = (
            ("how long a service takes", self._access.duration_property),
            ("who does a service", self._access.masters_property),
        )
        lines = [_line(what, number, found) for what, number in chosen]
        used = {str(number) for _, number in chosen}
        free = [one for one in found.values() if one.id not in used]
        if isinstance(self._diary, CalendarDiary):
            lines.append(await self._describe_field(self._diary))
        return (
            *lines,
            *(MappingLine(what="not used", field=f"property{one.id}", found=True, detail=one.name) for one in free),
        )

    async def _describe_field(self, diary: CalendarDiary) -> MappingLine:
        what = "what books, in a deal"
        try:
            field = await diary.get_field()
        except CRMNotConfigured as error:
            return MappingLine(what=what, field=self._access.booking_field or "", found=False, detail=str(error))
        return MappingLine(what=what, field=field.name, found=True, detail=field.title)

    def _hint(self, error: CRMError) -> str:
        without = isinstance(error, CRMUnsupported) and self._access.mode != CALENDAR
        return "; a portal without the online booking is used by the mode calendar" if without else ""

    async def _check_rights(self) -> list[CheckLine]:
        """Tell which of the rights are missing; what the employee may see is shown by the steps that follow."""
        given = set((await self._client.ask("scope", {}, WireScopes)).rows)
        missing = sorted({"crm", "catalog", "calendar" if self._access.mode == CALENDAR else "booking"} - given)
        if missing:
            return [CheckLine(subject="rights", status=FAILED, detail=f"not given: {', '.join(missing)}")]
        return [CheckLine(subject="rights", status=OK, detail=f"given: {', '.join(sorted(given))}")]

    async def _check_field(self) -> list[CheckLine]:
        """Tell of the field that books, in a portal without the online booking."""
        if not isinstance(self._diary, CalendarDiary):
            return []
        field = await self._diary.get_field()
        if not field.zone_is_named:
            detail = f"{field.name} has no time zone of its own: the first booking shows whether it is {field.zone.key}"
            return [CheckLine(subject="field", status=WARNING, detail=detail)]
        return [CheckLine(subject="field", status=OK, detail=f"{field.name} ({field.title}), zone {field.zone.key}")]

    async def _check_services(self) -> list[CheckLine]:
        services = await self._catalogue.list_services()
        if not services:
            return [CheckLine(subject="services", status=FAILED, detail="none is active in the catalogue")]
        lines = [CheckLine(subject="services", status=OK, detail=f"{len(services)} active in the catalogue")]
        endless = [one.title for one in services.values() if one.terms.duration is None]
        if endless:
            detail = f"{', '.join(endless[:5])}: no length is known, so no times are offered: set duration_property"
            lines.append(CheckLine(subject="lengths", status=FAILED, detail=detail))
        return lines

    async def _check_staff(self) -> list[CheckLine]:
        staff, hours = await self._catalogue.list_staff(), await self._catalogue.list_hours()
        working = [one for one in staff if hours.get(one)]
        status = OK if working else FAILED
        return [
            CheckLine(subject="staff", status=status, detail=f"{len(working)} of {len(staff)} resources have hours")
        ]

    async def _check_times(self) -> list[CheckLine]:
        services = [one for one in (await self._catalogue.list_services()).values() if one.terms.duration]
        if not services:
            return [CheckLine(subject="free times", status=FAILED, detail="no service with a known length")]
        today = self._clock().astimezone(self._zone).date()
        search = SlotSearch(self._diary, self._catalogue, zone=self._zone, clock=self._clock)
        ids = [ServiceId(services[0].id)]
        slots = await search.list_slots(ids, first=today, last=today + WEEK, staff_id=None)
        days = len({slot.starts_at.date() for slot in slots})
        detail = f"{services[0].title}: {len(slots)} free times on {days} of the next 7 days"
        return [CheckLine(subject="free times", status=OK if slots else WARNING, detail=detail)]

    async def _check_clients(self) -> list[CheckLine]:
        body = {"entityTypeId": CONTACT, "select": ["*"], "filter": {}}
        found = (await self._client.ask("crm.item.list", body, WireContacts)).items
        if found and not any(one.phones for one in found):
            detail = "contacts are readable, phones are hidden: give the webhook's employee the right to see them"
            return [CheckLine(subject="clients", status=FAILED, detail=detail)]
        return [CheckLine(subject="clients", status=OK, detail=f"{len(found)} readable on the first page")]


def _line(what: str, number: int | None, found: dict[str, WireProperty]) -> MappingLine:
    if number is None:
        return MappingLine(what=what, field="", found=None, detail="not set")
    there = found.get(str(number))
    return MappingLine(
        what=what, field=f"property{number}", found=there is not None, detail=there.name if there else ""
    )
