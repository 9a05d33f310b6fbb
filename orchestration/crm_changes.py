"""What staff changed in the CRM, told to the client in their language. Pure: it decides and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm.base import Appointment
from db.booking_records import BookedAppointment
from db.records import Branch, Dialogue
from locales import Translator
from orchestration.menu import BOOK, MENU
from orchestration.messages import Button, Reply
from orchestration.scope import CompanyScope
from orchestration.wording import place_text


def as_it_stands(ours: BookedAppointment, theirs: Appointment | None) -> BookedAppointment | None:
    """Return our appointment as the CRM has it now; None where nothing has changed.

    `theirs` None: the CRM does not know the record any more, so it is cancelled.
    """
    if theirs is None or theirs.cancelled:
        return None if ours.cancelled else replace(ours, cancelled=True)
    now = replace(
        ours,
        starts_at=theirs.starts_at,
        duration=theirs.duration or ours.duration,
        staff_name=theirs.staff.name or ours.staff_name,
        staff_id=theirs.staff.id or ours.staff_id,
        service_names=tuple(one.title for one in theirs.services if one.title) or ours.service_names,
        cancelled=False,
    )
    # That a row of before did not know who the master is there is no change.
    held = replace(ours, staff_id=ours.staff_id or now.staff_id)
    same = replace(now, starts_at=ours.starts_at) == held and now.starts_at == ours.starts_at
    return None if same else now


def left_its_time(ours: BookedAppointment, theirs: Appointment | None) -> bool:
    """Say whether the time at which we hold it is free now: it was cancelled, or moved, or is another master's now."""
    now = as_it_stands(ours, theirs)
    if now is None or ours.cancelled:
        return False
    return now.cancelled or (now.starts_at, now.staff_name) != (ours.starts_at, ours.staff_name)


def told_to_client(
    scope: CompanyScope,
    branch: Branch,
    dialogue: Dialogue,
    was: BookedAppointment,
    now: BookedAppointment,
    *,
    at: datetime,
) -> Mapping[str, Any] | None:
    """Return the message for the client; None where there is nothing that they have to know.

    Another time, another master, or no visit at all are told; what is over is not, nor a service's new name.
    """
    if was.starts_at <= at or (now.starts_at <= at and not now.cancelled):
        return None
    texts = Translator.for_language(dialogue.language, default=scope.agent.language)
    zone = ZoneInfo(branch.time_zone)
    facts = {
        "place": place_text(scope, branch),
        "service": ", ".join(now.service_names),
        "staff": now.staff_name,
        "was": texts.moment(was.starts_at.astimezone(zone)),
        "when": texts.moment(now.starts_at.astimezone(zone)),
    }
    if now.cancelled:
        row = (Button(text=texts.text("menu-book"), action=f"{MENU}:{BOOK}"),)
        return _payload(Reply(text=texts.text("crm-visit-cancelled", **facts), buttons=(row,)))
    if was.cancelled:
        return _payload(Reply(text=texts.text("crm-visit-restored", **facts)))
    if now.starts_at != was.starts_at:
        return _payload(Reply(text=texts.text("crm-visit-moved", **facts)))
    if now.staff_name != was.staff_name:
        return _payload(Reply(text=texts.text("crm-visit-other-staff", **facts)))
    return None


def _payload(reply: Reply) -> Mapping[str, Any]:
    return reply.model_dump(mode="json", exclude_defaults=True)
