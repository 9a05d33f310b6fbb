"""A change of keys: every ciphertext under the first key of the ring, in small steps beside running writers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, func, select, tuple_, update

from db import models
from db.audit import PLATFORM, Action, AuditTrail
from db.columns import metadata
from db.crypto import CIPHERTEXTS, KeyRing
from db.engine import Database, Transaction
from db.errors import SecretError
from db.records import CompanyId

_ROWS_A_STEP = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """How many ciphertexts there are, by key and column."""

    current: str
    ring: Sequence[str]
    rows: Mapping[tuple[str, str], int]

    @property
    def removable(self) -> Sequence[str]:
        """The keys of the ring that no row needs any more; never the first."""
        used = {key_id for key_id, _ in self.rows}
        return tuple(key_id for key_id in self.ring if key_id != self.current and key_id not in used)

    @property
    def missing(self) -> Sequence[str]:
        """Keys that rows need and the ring does not hold."""
        return tuple(sorted({key_id for key_id, _ in self.rows} - set(self.ring)))


@dataclass(slots=True, kw_only=True)
class Rotated:
    """What a run did. `faults`: rows that did not open and stay as they are, each with the reason."""

    changed: int = 0
    overtaken: int = 0
    """Rows that a writer changed in between; they are looked at again."""
    faults: list[str] = field(default_factory=list)


class KeyRotation:
    """Goes company by company. It keeps no place of its own: what is still under another key is what is left to do."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        audit: AuditTrail,
        tell: Callable[[CompanyId], Awaitable[None]],
        *,
        rows_a_step: int = _ROWS_A_STEP,
    ) -> None:
        """`tell`: makes the other processes forget what they keep of a company."""
        self._database = database
        self._keys = keys
        self._audit = audit
        self._tell = tell
        self._rows = rows_a_step

    async def status(self) -> KeyStatus:
        """Count the ciphertexts of every company."""
        rows: Counter[tuple[str, str]] = Counter()
        for company_id in await self._companies():
            async with self._database.company(company_id) as tx:
                for name in CIPHERTEXTS:
                    table, column = _place(name)
                    key = func.split_part(column, ".", 2)
                    counted = await tx.connection.execute(
                        select(key, func.count()).where(table.c.company_id == tx.company).group_by(key)
                    )
                    for key_id, count in counted:
                        rows[key_id, name] += count
        return KeyStatus(current=self._keys.current, ring=self._keys.ids, rows=dict(rows))

    async def rotate(self, progress: Callable[[Rotated], Awaitable[None]] | None = None) -> Rotated:
        """Bring every row under the first key; return what was done. A row that does not open is left and named.

        May be broken off between any two steps and begun again. `progress` is told after each step.
        """
        done = Rotated()
        async with self._database.company(PLATFORM) as tx:
            await self._audit.record(tx, Action.KEYS_ROTATE, subject="every company", after={"key": self._keys.current})
        for company_id in await self._companies():
            for name in CIPHERTEXTS:
                await self._rotate(company_id, name, done, progress)
        return done

    async def _rotate(
        self, company_id: CompanyId, name: str, done: Rotated, progress: Callable[[Rotated], Awaitable[None]] | None
    ) -> None:
        reached: Sequence[Any] | None = None
        while True:
            async with self._database.company(company_id) as tx:
                overtaken = done.overtaken
                changed, last = await self._step(tx, name, reached, done)
                if changed:
                    await self._audit.record(
                        tx, Action.KEYS_ROTATE, subject=name, after={"key": self._keys.current, "rows": changed}
                    )
            done.changed += changed
            if changed:
                await self._tell(company_id)
            if progress is not None:
                await progress(done)
            if last is None:
                return
            # A row that somebody else wrote meanwhile is still before us; one that does not open is behind us for good.
            reached = reached if done.overtaken > overtaken else last

    async def _step(
        self, tx: Transaction, name: str, reached: Sequence[Any] | None, done: Rotated
    ) -> tuple[int, Sequence[Any] | None]:
        """Change a bounded number of rows; return how many, and the key of the last one seen, None: nothing is left."""
        table, column = _place(name)
        key = list(table.primary_key.columns)
        statement = select(*key, column).where(
            table.c.company_id == tx.company, func.split_part(column, ".", 2) != self._keys.current
        )
        if reached is not None:
            statement = statement.where(tuple_(*key) > tuple_(*reached))
        rows = (await tx.connection.execute(statement.order_by(*key).limit(self._rows))).all()
        changed = 0
        for row in rows:
            *where, old = row
            try:
                new = self._keys.reseal(old, company_id=tx.company, column=name)
            except SecretError as error:
                fault = f"company {tx.company}, row {'/'.join(map(str, where[1:])) or '-'}: {error}"
                if fault not in done.faults:
                    done.faults.append(fault)
                continue
            mine = [one == value for one, value in zip(key, where, strict=True)]
            # Only over what was read: a writer who came in between has the last word.
            written = await tx.connection.execute(update(table).where(*mine, column == old).values({column: new}))
            changed += written.rowcount
            done.overtaken += 1 - written.rowcount
        return changed, tuple(rows[-1][:-1]) if rows else None

    async def _companies(self) -> Sequence[CompanyId]:
        async with self._database.platform() as tx:
            found = await tx.connection.scalars(select(models.companies.c.id).order_by(models.companies.c.id))
            return [CompanyId(one) for one in found]


def _place(name: str) -> tuple[Table, Any]:
    table_name, column = name.split(".")
    table = metadata.tables[table_name]
    return table, table.c[column]
