"""A master's day that cannot be held: what staff type and read of it, and what its clients are asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.base import Appointment
from db.booking_records import BookedAppointment
from db.records import Branch
from locales import Translator
from orchestration.crm_day import Untold
from orchestration.menu import SICK
from orchestration.messages import Button, Reply
from orchestration.staff_day_text import MOST_LINES, client_text

ANSWER_WITHIN = timedelta(minutes=30)
"""Who has not answered by then is to be phoned."""
FURTHEST = timedelta(days=60)
SAME, OTHER, CANCEL = "same", "other", "cancel"
"""What a client may choose: the same time with another master, another time, to cancel."""
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?|(\d{4})-(\d{2})-(\d{2})")
_MARK_LETTERS = 16


class Standing(StrEnum):
    """How far it is with one visit."""

    LISTED = "listed"
    """Nobody was asked yet."""
    ASKED = "asked"
    ANSWERED = "answered"
    """The client has written, and chooses."""
    MOVED = "moved"
    CANCELLED = "cancelled"
    AGAIN = "again"
    """The visit was cancelled by the salon, and the client has made another."""
    PHONE = "phone"
    """The client cannot be written to, or has not answered in time."""


OPEN = frozenset({Standing.ASKED, Standing.ANSWERED, Standing.PHONE})
"""What may still change: the list is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitNow:
    """One visit of the list. `was_at`: when it was; the appointment itself is as it stands now."""

    visit: BookedAppointment
    standing: Standing
    was_at: datetime


def read_order(texts: Translator, argument: str, today: date) -> tuple[str, date] | None:
    """Read "Анна 25.11", "Анна завтра", "Анна 2026-11-25"; None where it is no master with a day of the next time."""
    words = argument.split()
    if len(words) < 2:
        return None
    day = _day(texts, words[-1], today)
    return (" ".join(words[:-1]), day) if day is not None and today <= day <= today + FURTHEST else None


def _day(texts: Translator, word: str, today: date) -> date | None:
    if texts.is_one_of("words-today", word):
        return today
    if texts.is_one_of("words-tomorrow", word):
        return today + timedelta(days=1)
    found = _DATE.fullmatch(word)
    if found is None:
        return None
    day, month, year, full_year, full_month, full_day = (int(part) if part else None for part in found.groups())
    try:
        if full_year and full_month and full_day:
            return date(full_year, full_month, full_day)
        named = date(year or today.year, month or 0, day or 0)
    except ValueError:
        return None
    # "05.01" in December is next year's.
    return named if year or named >= today else _next_year(named)


def _next_year(day: date) -> date | None:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return None


def masters_named(name: str, masters: Iterable[str]) -> list[str]:
    """Return those of these masters whom a typed name may mean: by the beginnings of the words of their names."""
    wanted = name.casefold().split()
    known = dict.fromkeys(masters)
    exact = [one for one in known if one.casefold().split() == wanted]
    if exact:
        return exact
    return [
        one for one in known if all(any(part.startswith(word) for part in one.casefold().split()) for word in wanted)
    ]


def standing_of(
    visit: BookedAppointment,
    master: str,
    *,
    was_at: datetime,
    asked_at: datetime | None,
    wrote_at: datetime | None,
    unreachable: bool,
    booked_again: bool,
    approved: bool,
    off_already: bool,
    now: datetime,
) -> Standing:
    """Say how far it is with a visit of this master. `off_already`: the salon had cancelled it before it was listed."""
    if off_already and booked_again:
        return Standing.AGAIN
    if visit.cancelled and not off_already:
        return Standing.CANCELLED
    if not visit.cancelled and (visit.starts_at != was_at or visit.staff_name != master):
        return Standing.MOVED
    if not approved:
        return Standing.LISTED
    if asked_at is None or unreachable:
        return Standing.PHONE
    if wrote_at is not None and wrote_at > asked_at:
        return Standing.ANSWERED
    return Standing.PHONE if now - asked_at >= ANSWER_WITHIN else Standing.ASKED


def list_text(
    texts: Translator,
    branch: Branch,
    master: str,
    day: date,
    visits: Sequence[VisitNow],
    phone: Callable[[str], str],
    *,
    by: str | None,
    off_already: bool = False,
    place: str = "",
    others: Sequence[Appointment] = (),
    untold: Untold | None = None,
) -> str:
    """Say the whole list. `place`: the branch, where there are several; `by`: who has approved it, None: nobody yet;
    `off_already`: its visits were cancelled in the CRM, one after the other; `others`: the master's visits in the CRM
    whose clients cannot be written to; `untold`: why these are not known."""
    zone = ZoneInfo(branch.time_zone)
    by_time = sorted(
        [
            *((one.was_at, _line(texts, one, zone, phone)) for one in visits),
            *((one.starts_at, _line_of_other(texts, one, zone, phone)) for one in others),
        ],
        key=lambda line: line[0],
    )
    head = texts.text("sick-head", master=master, day=texts.day(day), count=len(by_time), place=place)
    lines = [head, *(line for _, line in by_time[:MOST_LINES])]
    if len(by_time) > MOST_LINES:
        lines.append(texts.text("staff-and-more", count=len(by_time) - MOST_LINES))
    to_phone = sum(one.standing is Standing.PHONE for one in visits) + len(others)
    if untold is not None:
        lines.append(untold_text(texts, untold))
    if by is not None:
        lines.append(texts.text("sick-approved", by=by, count=to_phone))
    elif off_already:
        lines.append(texts.text("sick-cancelled-in-crm"))
    else:
        lines.append(texts.text("sick-propose" if visits else "sick-phone-them"))
    return "\n".join(lines)


def untold_text(texts: Translator, untold: Untold) -> str:
    """Say that what was booked past the agent is not shown, and why."""
    return texts.text("sick-crm-silent" if untold is Untold.SILENT else "sick-crm-cannot")


def _line_of_other(texts: Translator, one: Appointment, zone: ZoneInfo, phone: Callable[[str], str]) -> str:
    return texts.text(
        "sick-line",
        time=texts.time(one.starts_at.astimezone(zone).time()),
        service=", ".join(service.title for service in one.services if service.title) or "—",
        client=client_text(texts, one.client_name, one.phone, phone),
        standing=Standing.PHONE.value,
        now="",
    )


def _line(texts: Translator, one: VisitNow, zone: ZoneInfo, phone: Callable[[str], str]) -> str:
    now_at = texts.moment(one.visit.starts_at.astimezone(zone))
    return texts.text(
        "sick-line",
        time=texts.time(one.was_at.astimezone(zone).time()),
        service=", ".join(one.visit.service_names),
        client=client_text(texts, one.visit.client_name, one.visit.phone, phone),
        standing=one.standing.value,
        now=f"{now_at}, {one.visit.staff_name}",
    )


def mark_of(branch_id: UUID, record_id: str) -> str:
    """Name an appointment in a client's button: short, whatever the CRM's ids are like."""
    return sha256(f"{branch_id}:{record_id}".encode()).hexdigest()[:_MARK_LETTERS]


def offer_to_client(texts: Translator, branch: Branch, visit: BookedAppointment, place: str) -> Reply:
    """Ask a client what they would like instead; until they choose, the visit stays as it is."""
    when = texts.moment(visit.starts_at.astimezone(ZoneInfo(branch.time_zone)))
    mark = mark_of(branch.id, visit.crm_record_id)
    ways = [("sick-same", SAME), ("sick-other", OTHER), *([] if visit.cancelled else [("my-cancel", CANCEL)])]
    rows = tuple((Button(text=texts.text(key), action=f"{SICK}:{way}:{mark}"),) for key, way in ways)
    key = "sick-offer-again" if visit.cancelled else "sick-offer"
    text = texts.text(key, staff=visit.staff_name, when=when, service=", ".join(visit.service_names), place=place)
    return Reply(text=text, buttons=rows)
