"""What staff read of their day: what the agent booked, moved and cancelled, and who waits for a person. Pure words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from db.booking_records import BookedAppointment, IntentKind
from db.records import Branch, Company, Dialogue
from locales import Translator

MOST_LINES = 30
_MINUTE = timedelta(minutes=1)

Phone = Callable[[str], str]
"""A client's number, as whoever reads may see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchDay:
    """One branch's day: what was written into its CRM, in this order, each with the appointment as it stands now."""

    branch: Branch
    writes: Sequence[tuple[IntentKind, BookedAppointment]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingClient:
    dialogue: Dialogue
    since: datetime


def day_text(
    texts: Translator,
    company: Company,
    days: Sequence[BranchDay],
    waiting: Sequence[WaitingClient] | None,
    phone: Phone,
    *,
    now: datetime,
) -> str:
    """Say the whole day. `waiting` None: it is not for this reader."""
    parts = [
        *([paused_text(texts, company, days[0].branch)] if company.paused_at is not None and days else []),
        *(_branch_text(texts, day, phone, now=now, named=len(days) > 1) for day in days),
        *([_waiting_text(texts, waiting, phone, now=now)] if waiting is not None else []),
    ]
    return "\n\n".join(parts)


def paused_text(texts: Translator, company: Company, branch: Branch) -> str:
    """Say since when the agent is paused, and who said so."""
    if company.paused_at is None:
        raise AssertionError("only a paused company is said to be")
    when = texts.moment(company.paused_at.astimezone(ZoneInfo(branch.time_zone)))
    return texts.text("staff-is-paused", when=when, by=company.paused_by or "—")


def client_text(texts: Translator, name: str | None, phone: str | None, shown: Phone) -> str:
    """Name a client for staff."""
    named = name or texts.text("staff-unnamed-client")
    return f"{named}, {shown(phone)}" if phone else named


def _branch_text(texts: Translator, day: BranchDay, phone: Phone, *, now: datetime, named: bool) -> str:
    zone = ZoneInfo(day.branch.time_zone)
    head = texts.day(now.astimezone(zone).date())
    counted = {kind: sum(one is kind for one, _ in day.writes) for kind in IntentKind}
    lines = [
        f"{day.branch.name}: {head}" if named else head,
        texts.text(
            "staff-today-counts",
            booked=counted[IntentKind.CREATE],
            moved=counted[IntentKind.MOVE],
            cancelled=counted[IntentKind.CANCEL],
        ),
        *(_write_text(texts, kind, visit, phone, zone) for kind, visit in day.writes[:MOST_LINES]),
    ]
    if len(day.writes) > MOST_LINES:
        lines.append(texts.text("staff-and-more", count=len(day.writes) - MOST_LINES))
    return "\n".join(lines)


def _write_text(texts: Translator, kind: IntentKind, visit: BookedAppointment, phone: Phone, zone: ZoneInfo) -> str:
    return texts.text(
        "staff-today-line",
        kind=kind.value,
        when=texts.moment(visit.starts_at.astimezone(zone)),
        service=", ".join(visit.service_names),
        staff=visit.staff_name,
        client=client_text(texts, visit.client_name, visit.phone, phone),
    )


def _waiting_text(texts: Translator, waiting: Sequence[WaitingClient], phone: Phone, *, now: datetime) -> str:
    if not waiting:
        return texts.text("staff-nobody-waits")
    longest_first = sorted(waiting, key=lambda one: one.since)
    lines = [texts.text("staff-waiting", count=len(waiting))]
    for one in longest_first[:MOST_LINES]:
        known = one.dialogue.proved_phone or one.dialogue.typed_phone
        waited = max(now - one.since, _MINUTE)
        client = client_text(texts, one.dialogue.client_name, known, phone)
        lines.append(texts.text("staff-waiting-line", client=client, length=texts.duration(waited)))
    if len(longest_first) > MOST_LINES:
        lines.append(texts.text("staff-and-more", count=len(longest_first) - MOST_LINES))
    return "\n".join(lines)
