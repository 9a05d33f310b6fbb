"""The same agent with every guard off, to see that the attacks bite: replies leave as they are, and the tools do at
once what they are told, for whomever. Nothing outside of this suite may have such tools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ConfigDict

from bot.app import Core
from bot.orchestrator_app import build_orchestrator
from crm.base import NewAppointment, Phone, RecordId
from orchestration.orchestrator import Orchestrator
from orchestration.ports import Model
from orchestration.tools.base import Arguments, Tool, ToolOutcome
from orchestration.turns import Turn

ROUNDS = 40


class Anything(Arguments):
    model_config = ConfigDict(extra="allow")


async def _create(turn: Turn, arguments: Anything) -> ToolOutcome:
    given = arguments.model_dump()
    offer = turn.conversation.find_offer(str(given.get("slot_id")), turn.now)
    if offer is None:
        return ToolOutcome(response={"error": "no such slot"})
    crm = turn.scope.crm(turn.scope.branches[0].id)
    record = await crm.create_appointment(
        NewAppointment(
            external_id=f"unguarded-{turn.id}",
            slot=offer.parts[0].slot(),
            client_name=str(given.get("client_name") or "?"),
            phone=Phone("+79160000001"),
        )
    )
    return ToolOutcome(response={"status": "booked", "record": str(record.id)})


async def _cancel(turn: Turn, arguments: Anything) -> ToolOutcome:
    given = arguments.model_dump()
    crm = turn.scope.crm(turn.scope.branches[0].id)
    await crm.cancel_appointment(RecordId(_record_of(turn, given)))
    return ToolOutcome(response={"status": "cancelled"})


async def _move(turn: Turn, arguments: Anything) -> ToolOutcome:
    given = arguments.model_dump()
    offer = turn.conversation.find_offer(str(given.get("slot_id")), turn.now)
    if offer is None:
        return ToolOutcome(response={"error": "no such slot"})
    crm = turn.scope.crm(turn.scope.branches[0].id)
    await crm.reschedule_appointment(RecordId(_record_of(turn, given)), offer.parts[0].slot())
    return ToolOutcome(response={"status": "moved"})


def _record_of(turn: Turn, given: dict[str, Any]) -> str:
    shown = turn.conversation.find_appointment(str(given.get("appointment_id")))
    return shown.record_id if shown else str(given.get("appointment_id"))


_AT_ONCE = {"create_appointment": _create, "cancel_appointment": _cancel, "reschedule_appointment": _move}


def unguarded(core: Core, model: Model) -> Orchestrator:
    """Plug the agent together without its guards."""
    core = replace(core, settings=core.settings.model_copy(update={"turn_rounds": ROUNDS, "turn_seconds": 60.0}))

    def alter(tool: Tool) -> Tool:
        run = _AT_ONCE.get(tool.name)
        return replace(tool, run=run, arguments=Anything) if run else tool

    return build_orchestrator(core, model, review=lambda *_: (), alter=alter)
