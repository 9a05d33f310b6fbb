"""What CRMs tell, as it waits to be looked into, and how far each branch was looked through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import crm_hooks, crm_sweeps
from db.engine import Database, Transaction
from db.records import NO_CHANNEL, BranchId, CompanyId, CrmHook, DialogueId, WorkKind, new_id
from db.work import ring

MOST_WAITING = 1000
"""Of one branch; what comes beyond is not stored: the sweep finds what it was about."""


class CrmEvents:
    """The tables `crm_hooks` and `crm_sweeps`; all but `accept` within the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(
        self,
        company_id: CompanyId,
        branch_id: BranchId,
        *,
        content_type: str,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,
    ) -> None:
        """Store a hint and ask that it is looked into; committed when this returns. Raises DatabaseUnavailable."""
        async with self._database.company(company_id) as tx:
            mine = (crm_hooks.c.company_id == company_id, crm_hooks.c.branch_id == branch_id)
            waiting = await tx.connection.scalar(select(func.count()).select_from(crm_hooks).where(*mine)) or 0
            if waiting < MOST_WAITING:
                await tx.connection.execute(
                    insert(crm_hooks).values(
                        company_id=company_id,
                        branch_id=branch_id,
                        id=new_id(),
                        content_type=content_type,
                        headers=dict(headers),
                        body=body,
                        received_at=now,
                    )
                )
            await ring(tx, dialogue_id=DialogueId(branch_id), channel_id=NO_CHANNEL, kind=WorkKind.CRM, due_at=now)

    async def list_waiting(self, tx: Transaction, branch_id: BranchId, *, limit: int) -> Sequence[CrmHook]:
        """Return a branch's hints, the oldest first."""
        mine = (crm_hooks.c.company_id == tx.company, crm_hooks.c.branch_id == branch_id)
        rows = await tx.connection.execute(select(crm_hooks).where(*mine).order_by(crm_hooks.c.id).limit(limit))
        return [
            CrmHook(id=row["id"], content_type=row["content_type"], headers=row["headers"], body=row["body"])
            for row in rows.mappings()
        ]

    async def erase(self, tx: Transaction, branch_id: BranchId, hooks: Sequence[CrmHook]) -> None:
        """Forget hints that were looked into."""
        mine = (crm_hooks.c.company_id == tx.company, crm_hooks.c.branch_id == branch_id)
        await tx.connection.execute(delete(crm_hooks).where(*mine, crm_hooks.c.id.in_([hook.id for hook in hooks])))

    async def get_swept_until(self, tx: Transaction, branch_id: BranchId) -> datetime | None:
        """Return the moment up to which the branch's changes are known; None: it was never looked through."""
        mine = (crm_sweeps.c.company_id == tx.company, crm_sweeps.c.branch_id == branch_id)
        found: datetime | None = await tx.connection.scalar(select(crm_sweeps.c.swept_until).where(*mine))
        return found

    async def set_swept_until(self, tx: Transaction, branch_id: BranchId, until: datetime) -> None:
        statement = insert(crm_sweeps).values(company_id=tx.company, branch_id=branch_id, swept_until=until)
        await tx.connection.execute(
            statement.on_conflict_do_update(index_elements=["company_id", "branch_id"], set_={"swept_until": until})
        )
