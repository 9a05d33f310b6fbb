"""What a company's models took, by day (UTC): the table `spending`, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.models import spending
from db.records import Usage
from db.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpent:
    """`cost`: millionths of a US dollar."""

    day: date
    turns: int
    usage: Usage
    cost: int


_COUNTED = ("turns", "calls", "prompt_tokens", "output_tokens", "cached_tokens", "cost_microusd")
_SINCE = Statement(
    select(func.coalesce(func.sum(spending.c.cost_microusd), 0).label("cost")).where(
        spending.c.company_id == bindparam("company"), spending.c.day >= bindparam("since")
    )
)
_counted = insert(spending)
_ADD = Statement(
    _counted.on_conflict_do_update(
        index_elements=["company_id", "day"],
        set_={name: spending.c[name] + _counted.excluded[name] for name in _COUNTED},
    ),
    columns=("company_id", "day", *_COUNTED),
)


class Spending:
    async def this_month(self, tx: Transaction, *, now: datetime) -> int:
        """Return what the month has cost so far, in millionths of a US dollar."""
        [found] = await tx.rows(_SINCE, company=tx.company, since=now.date().replace(day=1))
        return int(found["cost"])

    async def add(self, tx: Transaction, *, now: datetime, usage: Usage, cost: int) -> int:
        """Count a turn; return the month's cost before it.

        Turns of one company count one after another from here to their commit, so that a limit is crossed by one of
        them only. Call it last.
        """
        row = {
            "company_id": tx.company,
            "day": now.date(),
            "turns": 1,
            "calls": usage.calls,
            "prompt_tokens": usage.prompt_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "cost_microusd": cost,
        }
        await tx.run(_ADD, **row)
        return await self.this_month(tx, now=now) - cost

    async def list_days(self, tx: Transaction, *, since: date) -> Sequence[DaySpent]:
        """Return the days from `since` on, the latest first."""
        rows = await tx.connection.execute(
            select(spending)
            .where(spending.c.company_id == tx.company, spending.c.day >= since)
            .order_by(spending.c.day.desc())
        )
        return [
            DaySpent(
                day=row["day"],
                turns=row["turns"],
                usage=Usage(
                    calls=row["calls"],
                    prompt_tokens=row["prompt_tokens"],
                    output_tokens=row["output_tokens"],
                    cached_tokens=row["cached_tokens"],
                ),
                cost=row["cost_microusd"],
            )
            for row in rows.mappings()
        ]
