"""The client's own appointments, read from the CRM: a phone that the channel proved opens them; without it a chat sees
only what it made itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from crm.base import Appointment, AppointmentService, Capability, Phone, RecordId, ServiceId, Staff, StaffId
from crm.errors import CRMNotFound
from db.booking_records import BookedAppointment
from db.records import BranchId
from orchestration.conversation import ShownAppointment
from orchestration.ports import Appointments
from orchestration.scope import CompanyScope
from orchestration.turns import Turn
from orchestration.writes import visit_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAppointment:
    """One of them: as this dialogue may name it from now on, and as it stands in the CRM."""

    shown: ShownAppointment
    full: Appointment


class OwnAppointments:
    """Finds them; every method may raise CRMError."""

    def __init__(self, made_here: Appointments) -> None:
        self._made_here = made_here

    async def show(self, turn: Turn) -> Sequence[OwnAppointment]:
        """Return those still to come, by time; from now on this dialogue may move and cancel them, and no others."""
        found = [
            OwnAppointment(shown=_shown(branch_id, appointment), full=appointment)
            for branch_id, appointment in await self._find(turn)
        ]
        turn.conversation = turn.conversation.with_appointments(tuple(one.shown for one in found))
        return found

    async def _find(self, turn: Turn) -> list[tuple[BranchId, Appointment]]:
        found: dict[tuple[BranchId, RecordId], Appointment] = {}
        can_list = turn.scope.can(Capability.LIST)
        if turn.dialogue.proved_phone and can_list:
            for branch in turn.scope.branches:
                today = turn.local(turn.now, branch).date()
                phone = Phone(turn.dialogue.proved_phone)
                for appointment in await turn.scope.crm(branch.id).list_appointments(phone, first=today):
                    found[branch.id, appointment.id] = appointment
        for made in await self._made_here.list_made_here(turn.dialogue):
            key = (made.branch_id, RecordId(made.crm_record_id))
            if not can_list:
                # This CRM cannot be asked: what it held when we booked is all that is known.
                found[key] = _as_we_hold_it(made)
                continue
            try:
                one = found.get(key) or await turn.scope.crm(made.branch_id).get_appointment(key[1])
            except CRMNotFound:
                continue
            # Not every CRM shows our id in what it reads back; we know it all the same.
            found[key] = replace(one, external_id=one.external_id or made.external_id)
        standing = [(branch_id, one) for (branch_id, _), one in found.items() if not one.cancelled]
        return sorted(
            ((branch_id, one) for branch_id, one in standing if one.starts_at > turn.now),
            key=lambda pair: pair[1].starts_at,
        )


def books_or_lists(scope: CompanyScope) -> bool:
    """Say whether there can be appointments of the client's to show."""
    return scope.can(Capability.LIST) or scope.can(Capability.CREATE)


def _as_we_hold_it(made: BookedAppointment) -> Appointment:
    return Appointment(
        id=RecordId(made.crm_record_id),
        starts_at=made.starts_at,
        duration=made.duration,
        staff=Staff(id=StaffId(""), name=made.staff_name),
        services=tuple(AppointmentService(id=ServiceId(""), title=name) for name in made.service_names),
        client_name=made.client_name,
        external_id=made.external_id,
        cancelled=made.cancelled,
    )


async def why_not_moved(turn: Turn, shown: ShownAppointment) -> str | None:
    """Return the key of the words that say why the salon does not let this one be moved; None: it does."""
    if turn.conversation.find_rest_of_visit(shown):
        return "move-visit"
    if shown.by_salon:
        return None
    rules = await turn.scope.crm(BranchId(shown.branch_id)).get_rules()
    return "move-too-late" if not rules.may_move or _too_late(turn, shown, rules.move_deadline) else None


async def why_not_cancelled(turn: Turn, *shown: ShownAppointment) -> str | None:
    """Return the key of the words that say why the salon does not let one of these be cancelled; None: it does."""
    for one in shown:
        if one.by_salon:
            continue
        rules = await turn.scope.crm(BranchId(one.branch_id)).get_rules()
        if not rules.may_cancel or _too_late(turn, one, rules.cancel_deadline):
            return "cancel-too-late"
    return None


def _too_late(turn: Turn, shown: ShownAppointment, deadline: timedelta | None) -> bool:
    return shown.starts_at - turn.now < (deadline or timedelta(0))


def _shown(branch_id: BranchId, appointment: Appointment) -> ShownAppointment:
    return ShownAppointment(
        id=f"a_{secrets.token_hex(5)}",
        branch_id=branch_id,
        record_id=appointment.id,
        starts_at=appointment.starts_at,
        duration=appointment.duration,
        service_ids=tuple(service.id for service in appointment.services),
        service_names=tuple(service.title for service in appointment.services),
        staff_name=appointment.staff.name,
        visit=visit_of(appointment.external_id),
    )
