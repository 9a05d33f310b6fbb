"""What `crm check` tries: everything the permissions allow that leaves no trace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import CheckLine, CheckStatus, Prepayment, ServiceId
from crm.checking import try_all
from crm.errors import CRMNotFound
from crm.kept import NoCache
from crm.yclients.access import Access
from crm.yclients.catalogue import Branch, Catalogue
from crm.yclients.client import YclientsClient
from crm.yclients.slots import SlotSearch

OK, WARNING, FAILED = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED
WEEK = timedelta(days=6)

# Names as `GET /user/permissions/{company_id}` answers them, in groups.
RIGHTS: Mapping[str, str] = {
    "timetable_access": "see the journal",
    "timetable_phones_access": "see clients' phones",
    "record_form_client_access": "see clients' data",
    "create_records_access": "create appointments",
    "edit_records_access": "change appointments",
    "timetable_transferring_record_access": "move appointments",
    "delete_records_access": "delete appointments",
    "clients_access": "see clients",
    "client_phones_access": "see phones in clients' cards",
}


class Check:
    def __init__(self, client: YclientsClient, access: Access, *, time_zone: ZoneInfo, clock: Clock) -> None:
        self._client = client
        self._time_zone = time_zone
        self._clock = clock
        self._catalogue = Catalogue(client, NoCache(), access, time_zone=time_zone)

    async def run(self) -> tuple[CheckLine, ...]:
        """Return a line per thing tried. A step that fails says so and ends nothing."""
        steps = {
            "branch": self._check_branch,
            "services": self._check_services,
            "staff": self._check_staff,
            "free times": self._check_times,
            "appointments": self._check_records,
            "clients": self._check_clients,
            "rights": self._check_rights,
        }
        return tuple(await try_all(steps))

    async def _check_branch(self) -> list[CheckLine]:
        branch = await self._catalogue.get_branch()
        rules = branch.rules
        lines = [CheckLine(subject="branch", status=OK, detail=f"{rules.title}, zone {branch.zone.key}")]
        if branch.zone.key != self._time_zone.key:
            detail = f"the CRM says {branch.zone.key}, the branch's settings {self._time_zone.key}: correct one"
            lines.append(CheckLine(subject="time zone", status=WARNING, detail=detail))
        if branch.currency is None:
            detail = "not known from the CRM's answer: prices are taken from the catalogue of the settings only"
            lines.append(CheckLine(subject="currency", status=WARNING, detail=detail))
        return lines

    async def _check_services(self) -> list[CheckLine]:
        branch, offered = await self._catalogue.get_branch(), await self._catalogue.get_offered()
        count = len(offered.services)
        if not count:
            return [CheckLine(subject="services", status=FAILED, detail="none is open for online booking")]
        lines = [CheckLine(subject="services", status=OK, detail=f"{count} open for online booking")]
        prepaid = [one.title for one in offered.services if one.prepaid == Prepayment.REQUIRED]
        if prepaid:
            lines.append(_prepaid_line(prepaid, branch))
        return lines

    async def _check_staff(self) -> list[CheckLine]:
        shown = await self._catalogue.list_staff()
        bookable = sum(one.bookable for one in shown)
        status = OK if bookable else FAILED
        return [CheckLine(subject="staff", status=status, detail=f"{bookable} of {len(shown)} have free times online")]

    async def _check_times(self) -> list[CheckLine]:
        """Count the days of the next week on which the first service that is ours to book has free times."""
        branch, offered = await self._catalogue.get_branch(), await self._catalogue.get_offered()
        ours = [one for one in offered.services if one.prepaid != Prepayment.REQUIRED]
        if not ours:
            return [CheckLine(subject="free times", status=FAILED, detail="no service that may be booked by us")]
        today = self._clock().astimezone(branch.zone).date()
        search = SlotSearch(self._client, self._catalogue)
        slots = await search.list_slots([ServiceId(ours[0].id)], first=today, last=today + WEEK, staff_id=None)
        days = len({slot.starts_at.date() for slot in slots})
        detail = f"{ours[0].title}: {len(slots)} free times on {days} of the next 7 days"
        return [CheckLine(subject="free times", status=OK if slots else WARNING, detail=detail)]

    async def _check_records(self) -> list[CheckLine]:
        today = self._clock().date().isoformat()
        found = await self._client.list_records({"start_date": today, "end_date": today})
        return [CheckLine(subject="appointments", status=OK, detail=f"{len(found)} readable today")]

    async def _check_clients(self) -> list[CheckLine]:
        rows, total = await self._client.search_clients(None)
        if rows and not any(one.phone and "*" not in one.phone for one in rows):
            detail = "cards are readable, phones are hidden: give the user token the right to see them"
            return [CheckLine(subject="clients", status=FAILED, detail=detail)]
        return [CheckLine(subject="clients", status=OK, detail=f"{len(rows) if total is None else total} readable")]

    async def _check_rights(self) -> list[CheckLine]:
        try:
            rights = _flat(await self._client.get_rights())
        except CRMNotFound:
            detail = "the CRM does not list them: writing is proven by the first booking only"
            return [CheckLine(subject="rights", status=WARNING, detail=detail)]
        if str(rights.get("master_id") or "0") != "0":
            detail = f"the user token sees the appointments of master {rights['master_id']} only"
            return [CheckLine(subject="rights", status=FAILED, detail=detail)]
        missing = [words for name, words in RIGHTS.items() if rights.get(name) in (False, 0, "0")]
        if missing:
            return [CheckLine(subject="rights", status=FAILED, detail=f"the user token may not: {', '.join(missing)}")]
        return [CheckLine(subject="rights", status=OK, detail="create, change, move and delete appointments")]


def _prepaid_line(titles: list[str], branch: Branch) -> CheckLine:
    named = ", ".join(titles[:5])
    if branch.booking_url is None:
        detail = f"{named}: demand prepayment, and no booking page is known: set widget_url"
        return CheckLine(subject="prepayment", status=WARNING, detail=detail)
    return CheckLine(subject="prepayment", status=OK, detail=f"{named}: booked at {branch.booking_url}")


def _flat(rights: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in rights.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
