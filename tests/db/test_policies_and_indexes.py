"""Row-level security costs no index: what a turn reads is found by company first, policy or not."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from db.columns import GLOBAL_TABLES, metadata
from db.records import new_id

OF_A_TURN = {
    "its updates": "SELECT * FROM accepted_updates WHERE dialogue_id = :id AND done_at IS NULL AND dead_at IS NULL"
    " ORDER BY accepted_at, id LIMIT 100",
    "its dialogue": "SELECT * FROM sessions WHERE id = :id",
    "its history": "SELECT * FROM messages WHERE dialogue_id = :id ORDER BY id DESC LIMIT 60",
    "its note": "SELECT * FROM dialogue_memory WHERE dialogue_id = :id",
    "its replies": "SELECT * FROM replies WHERE dialogue_id = :id AND status = 'waiting' ORDER BY id",
    "its work": "SELECT * FROM work WHERE dialogue_id = :id AND kind = 'turn'",
    "its appointments": "SELECT * FROM appointments WHERE dialogue_id = :id",
}


async def plan(core, statement, **arguments):
    async with core.database.company(new_id()) as tx:
        # Tables of a test are so small that no index would ever pay.
        await tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await tx.connection.execute(text(f"EXPLAIN {statement}"), arguments)
        return "\n".join(row for (row,) in rows)


@pytest.mark.parametrize("statement", OF_A_TURN.values(), ids=OF_A_TURN)
async def test_what_a_turn_reads_is_found_by_an_index_under_the_policy_alone(core, statement):
    found = await plan(core, statement, id=new_id())

    assert "Seq Scan" not in found
    assert "company_id =" in "".join(line for line in found.splitlines() if "Index Cond" in line)
    assert "dialogue_id =" in found or "(id =" in found


@pytest.mark.parametrize("table", sorted(one.name for one in metadata.sorted_tables if one.name not in GLOBAL_TABLES))
async def test_every_tenants_table_is_reached_by_its_company(core, table):
    found = await plan(core, f'SELECT * FROM "{table}"')

    assert "Seq Scan" not in found
    assert "Index Cond: (company_id =" in found
