"""When the client of a visit is reminded, and in which words. Pure: it decides and words.

A reminder is known by how long before the visit it is (its lead). What became of each is kept by appointment and time,
so that whatever happens to clocks, workers or settings none is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crm.base import Capability
from db.booking_records import BookedAppointment, ReminderState
from db.quiet_hours import QuietHours
from db.records import Branch
from locales import Translator
from orchestration.client_zone import zone_of
from orchestration.identity import lives_elsewhere
from orchestration.menu import REMIND
from orchestration.messages import Button, Reply, TemplateWords
from orchestration.night import evening_before, is_night
from orchestration.scope import CompanyScope
from orchestration.wording import place_text

LEAST_AHEAD = timedelta(minutes=30)
"""Whoever is reminded later than this is on the way, or will not come any more."""
LEAST_LATE = timedelta(hours=1)
COMING, MOVE, CANCEL = "c", "m", "x"
"""What the buttons under a reminder say, in this order; the quick replies of its template too."""
TEMPLATE = "reminder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done about an appointment's reminders now."""

    planned: tuple[timedelta, ...] = ()
    """Seen for the first time, and ahead."""
    skipped: tuple[timedelta, ...] = ()
    """Never to be sent."""
    send: timedelta | None = None
    """To be sent now, once the CRM has said that the visit stands as we know it."""
    due_at: datetime | None = None
    """When to look again; None: nothing is left."""


def moment_of(starts_at: datetime, lead: timedelta, quiet: QuietHours, zone: ZoneInfo) -> datetime:
    """Return when a reminder is due, in hours that pass, whatever the clock shows; at night: in the evening before."""
    return evening_before(starts_at.astimezone(UTC) - lead, quiet, zone)


def plan(
    starts_at: datetime,
    leads: Sequence[timedelta],
    states: Mapping[timedelta, ReminderState],
    *,
    quiet: QuietHours,
    zone: ZoneInfo,
    now: datetime,
) -> Plan:
    """Decide. `states`: what became of the reminders of this very time; `zone`: the client's.

    A reminder that is past when it is seen for the first time is none: the visit was made, or moved here, later than
    that. Of several that are due only the last is sent, and only while it is of use: not at night, not when the visit
    is nearly there, and not so late that the next one says it better.
    """
    starts_at, now = starts_at.astimezone(UTC), now.astimezone(UTC)
    moments = {lead: moment_of(starts_at, lead, quiet, zone) for lead in leads}
    left = [lead for lead in moments if states.get(lead, ReminderState.PLANNED) is ReminderState.PLANNED]
    ahead = [lead for lead in left if moments[lead] > now]
    due = [lead for lead in left if moments[lead] <= now]
    last = min((lead for lead in due if lead in states), default=None)
    may_be_said = starts_at - now >= LEAST_AHEAD and not is_night(now, quiet, zone)
    send = last if last is not None and may_be_said and now - moments[last] <= max(last / 8, LEAST_LATE) else None
    return Plan(
        planned=tuple(lead for lead in ahead if lead not in states),
        skipped=tuple(lead for lead in due if lead != send),
        send=send,
        due_at=min((moments[lead] for lead in ahead), default=None),
    )


def client_zone(booked: BookedAppointment, branch: Branch, now: datetime) -> ZoneInfo:
    """Return the zone that the client of an appointment lives in, as far as their number tells."""
    return zone_of(booked.phone or None, ZoneInfo(branch.time_zone), now)


def reminder(scope: CompanyScope, branch: Branch, texts: Translator, visit: Sequence[BookedAppointment]) -> Reply:
    """Return the message for the client: all records of the visit, by the clock on the branch's wall.

    Who has said that they come is not asked again.
    """
    first, confirmed = visit[0], all(one.is_confirmed for one in visit)
    parts, place = "; ".join(_part_text(branch, texts, one) for one in visit), place_text(scope, branch)
    coming = [] if confirmed else [_button(texts, "reminder-coming", COMING, first)]
    changes = [
        *([_button(texts, "reminder-move", MOVE, first)] if scope.can(Capability.SLOTS, Capability.MOVE) else []),
        *([_button(texts, "reminder-cancel", CANCEL, first)] if scope.can(Capability.CANCEL) else []),
    ]
    return Reply(
        text=texts.text("reminder-confirmed" if confirmed else "reminder", visit=parts, place=place),
        buttons=tuple(tuple(row) for row in (coming, changes) if row),
        list_label=texts.text("button-choose"),
        template=TemplateWords(
            name=TEMPLATE,
            words=(f"{parts}. {place}",),
            actions=tuple(action_of(what, first) for what in (COMING, MOVE, CANCEL)),
        ),
    )


def action_of(what: str, booked: BookedAppointment) -> str:
    """Return what a button brings back: what it says of which appointment at which time; 47 bytes."""
    return f"{REMIND}:{what}:{booked.id.hex}:{_minute(booked.starts_at)}"


def is_about(booked: BookedAppointment, minute: str) -> bool:
    """Say whether a pressed button was about the time that the appointment is at now."""
    return minute == _minute(booked.starts_at)


def moment_text(texts: Translator, branch: Branch, booked: BookedAppointment) -> str:
    """Say when a visit is, and by whose clock where the client's shows another time."""
    at = booked.starts_at.astimezone(ZoneInfo(branch.time_zone))
    said = texts.moment(at)
    if not lives_elsewhere(booked.phone or None, at):
        return said
    return texts.text("moment-in-zone", moment=said, zone=texts.zone(branch.time_zone))


def _part_text(branch: Branch, texts: Translator, booked: BookedAppointment) -> str:
    said = (moment_text(texts, branch, booked), ", ".join(booked.service_names), booked.staff_name)
    return ", ".join(one for one in (*said, booked.visitor_name) if one)


def _button(texts: Translator, key: str, what: str, booked: BookedAppointment) -> Button:
    return Button(text=texts.text(key), action=action_of(what, booked))


def _minute(moment: datetime) -> str:
    return str(round(moment.timestamp() / 60))
