"""A turn of a preview: the real agent over the company as it is, by settings not saved yet, carrying nothing out.

Nobody is called, nothing is written into a CRM, and no chat of the staff's rings. What the model costs is counted.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.company_editing import FieldFaults, edited
from db.console import TriedSettings
from db.engine import Database
from db.records import DialogueId
from orchestration.scope import CompanyScope
from orchestration.turns import TurnResult

log = structlog.get_logger()


async def by_draft(database: Database, scope: CompanyScope, dialogue_id: DialogueId) -> CompanyScope:
    """Return the company with what somebody tries out instead of what is saved."""
    async with database.company(scope.company.id) as tx:
        fields = await TriedSettings().find(tx, dialogue_id)
    try:
        agent = edited(scope.agent, {name: str(value) for name, value in fields.items()})
    except FieldFaults as error:
        # It was fine when it was put there: the rules are another version's.
        log.warning("preview_draft_unreadable", fields=error.names)
        return scope
    # It answers here whether it is paused for clients or not.
    company = replace(scope.company, paused_at=None)
    return replace(scope, snapshot=replace(scope.snapshot, company=company, agent=agent))


def harmless(result: TurnResult) -> TurnResult:
    """Return a turn that nobody but who asked will hear of."""
    return replace(result, notices=(), handovers=(), elsewhere=(), hands_back=False)
