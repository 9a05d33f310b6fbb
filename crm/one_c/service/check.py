"""What `crm check` tries of a base's HTTP service: all its readings."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import Capability, CheckLine, CheckStatus, Phone, ServiceId
from crm.checking import try_all
from crm.kept import NoCache
from crm.one_c.service.catalogue import Catalogue
from crm.one_c.service.client import OneCServiceClient
from crm.one_c.service.slots import SlotSearch

OK, WARNING, FAILED = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED
WEEK = timedelta(days=6)
NOBODY = Phone("+70000000000")


class Check:
    """`able`: what the account's settings say that the service can do."""

    def __init__(
        self, client: OneCServiceClient, *, time_zone: ZoneInfo, clock: Clock, able: frozenset[Capability]
    ) -> None:
        self._client = client
        self._time_zone = time_zone
        self._clock = clock
        self._able = able
        self._catalogue = Catalogue(client, NoCache(), "", time_zone=time_zone)

    async def run(self) -> tuple[CheckLine, ...]:
        """Return a line per thing tried. A step that fails says so and ends nothing."""
        steps = {
            "HTTP service": self._check_info,
            "services": self._check_services,
            "staff": self._check_staff,
            "free times": self._check_times,
            "clients": self._check_clients,
            "appointments": self._check_appointments,
        }
        return tuple(await try_all(steps))

    async def _check_info(self) -> list[CheckLine]:
        branch = await self._catalogue.get_branch()
        lines = [CheckLine(subject="HTTP service", status=OK, detail=f"{branch.rules.title}, zone {branch.zone.key}")]
        if branch.told_zone != self._time_zone.key:
            said = branch.told_zone[:40] or "nothing"
            detail = f"1C says {said}, the branch's settings {self._time_zone.key}: {branch.zone.key} is taken"
            lines.append(CheckLine(subject="time zone", status=WARNING, detail=detail))
        if branch.currency is None:
            detail = "1C names none in /info: prices are taken from the catalogue of the settings only"
            lines.append(CheckLine(subject="currency", status=WARNING, detail=detail))
        for part, capability in (("products", Capability.PRODUCTS), ("changes", Capability.CHANGES)):
            if (part in branch.parts) is not (capability in self._able):
                told = "tells of" if part in branch.parts else "does not tell of"
                detail = f"/info {told} the part {part}, the settings differ: correct the field without"
                lines.append(CheckLine(subject=part, status=WARNING, detail=detail))
        return lines

    async def _check_services(self) -> list[CheckLine]:
        services = await self._catalogue.get_services()
        if not services:
            return [CheckLine(subject="services", status=FAILED, detail="none is offered")]
        lines = [CheckLine(subject="services", status=OK, detail=f"{len(services)} offered")]
        unpriced = [one.title for one in services if one.terms.price is None and not one.by_staff]
        if unpriced:
            detail = f"without a price in 1C: {', '.join(unpriced[:5])}"
            lines.append(CheckLine(subject="prices", status=WARNING, detail=detail))
        return lines

    async def _check_staff(self) -> list[CheckLine]:
        staff = await self._catalogue.list_staff()
        return [CheckLine(subject="staff", status=OK if staff else FAILED, detail=f"{len(staff)} offered")]

    async def _check_times(self) -> list[CheckLine]:
        """Count the days of the next week on which the first service has free times."""
        services = await self._catalogue.list_services()
        if not services:
            return [CheckLine(subject="free times", status=FAILED, detail="no service to ask for")]
        today = self._clock().astimezone((await self._catalogue.get_branch()).zone).date()
        search = SlotSearch(self._client, self._catalogue, self._clock)
        slots = await search.list_slots([ServiceId(services[0].id)], first=today, last=today + WEEK, staff_id=None)
        days = len({slot.starts_at.date() for slot in slots})
        detail = f"{services[0].name}: {len(slots)} free times on {days} of the next 7 days"
        return [CheckLine(subject="free times", status=OK if slots else WARNING, detail=detail)]

    async def _check_clients(self) -> list[CheckLine]:
        await self._client.list_cards(NOBODY)
        return [CheckLine(subject="clients", status=OK, detail="can be looked for by phone")]

    async def _check_appointments(self) -> list[CheckLine]:
        today = self._clock().astimezone((await self._catalogue.get_branch()).zone).date().isoformat()
        found = await self._client.list_appointments({"from": today, "to": today})
        detail = f"{len(found)} readable today; writing is proven by the first booking only"
        return [CheckLine(subject="appointments", status=OK, detail=detail)]
