"""Migrations only add: the version before runs beside the new schema during a roll-out, and after a roll-back.

What takes something away is the contract phase. It says in `contract` why no version that still runs uses it, and in
`readable_by` which version is the oldest that can live without it (docs/upgrades.md).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.upgrade
from db.errors import SchemaAhead, SchemaBehind
from db.upgrade import READABLE_BY_FIRST, downgrade, head, readable_by, require_schema, runtime_url

VERSIONS = Path(__file__).parents[2] / "db" / "migrations" / "versions"
BASELINE = "0010"
"""Migrations up to here were written before the promise."""
NEWER = [path for path in sorted(VERSIONS.glob("*.py")) if path.stem[:4] > BASELINE]

TAKES_AWAY = {
    "drops a column": r"\bDROP\s+COLUMN\b|\bdrop_column\b",
    "drops a table": r"\bDROP\s+TABLE\b|\bdrop_table\b",
    "drops a function, type, view or role": r"\bDROP\s+(FUNCTION|TYPE|VIEW|ROLE|SCHEMA|TRIGGER)\b",
    "renames": r"\bRENAME\b|\brename_table\b|\bnew_column_name\b",
    "changes a type": r"\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b|\balter_column\b[^\n]*\btype_",
    "forbids NULL": r"\bSET\s+NOT\s+NULL\b|\balter_column\b[^\n]*nullable\s*=\s*False",
    "drops a default": r"\bDROP\s+DEFAULT\b",
    "takes a right": r"\bREVOKE\b",
    "adds a column that the version before does not fill": (
        r"\bADD\s+COLUMN\b(?:(?!\bADD\b|\bDEFAULT\b|\bGENERATED\b|;|\n---\n)[\s\S])*\bNOT\s+NULL\b"
        r"(?!(?:(?!\bADD\b|;|\n---\n)[\s\S])*\b(?:DEFAULT|GENERATED)\b)"
        r"|\badd_column\b(?![\s\S]{0,400}server_default)[^\n]*nullable\s*=\s*False"
    ),
}


def taken_away(statements):
    """Name what these statements take from the version before."""
    bare = re.sub(r"--[^\n-][^\n]*", "", statements)
    # What a function will do when it is called is not done by the migration that makes it.
    bare = re.sub(r"(CREATE (?:OR REPLACE )?FUNCTION [^;$]*?) AS \$\$[\s\S]*?\$\$", r"\1", bare)
    # What a function of the migration's own has not yet been given to anybody.
    for made in re.findall(r"CREATE FUNCTION (\w+)", bare):
        bare = re.sub(rf"REVOKE ALL ON FUNCTION {made}\b[^;]*? FROM PUBLIC", "", bare)
    return [what for what, pattern in TAKES_AWAY.items() if re.search(pattern, bare, re.IGNORECASE)]


def statements_of(path):
    """Return what a migration does on its way up: the code but `downgrade`, and its SQL files but those for down."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    code = [
        ast.unparse(node)
        for node in tree.body
        if not (isinstance(node, ast.FunctionDef) and node.name == "downgrade") and not isinstance(node, ast.Expr)
    ]
    files = [one for one in sorted(VERSIONS.glob(f"{path.stem[:4]}_*.sql")) if not one.stem.endswith("_down")]
    return "\n".join([*code, *(one.read_text(encoding="utf-8") for one in files)])


def marks_of(path):
    """Return the module's constants that are text."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize("path", NEWER, ids=lambda path: path.stem)
def test_a_migration_only_adds_or_says_why_nobody_misses_what_it_takes(path):
    marks, found = marks_of(path), taken_away(statements_of(path))

    if found:
        assert len(marks.get("contract", "")) >= 20, (
            f"{path.name} {found}: no `contract` that says why nobody misses it"
        )
        assert READABLE_BY_FIRST <= marks.get("readable_by", "") <= marks["down_revision"], "no version is named"
    else:
        assert not {"readable_by", "contract"} & set(marks), "nothing is taken away"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("ALTER TABLE calls DROP COLUMN caller", "drops a column"),
        ("op.drop_column('calls', 'caller')", "drops a column"),
        ("DROP TABLE calls", "drops a table"),
        ("DROP FUNCTION ai_admin_accept", "drops a function, type, view or role"),
        ("ALTER TABLE calls RENAME COLUMN caller TO who", "renames"),
        ("op.alter_column('calls', 'caller', new_column_name='who')", "renames"),
        ("ALTER TABLE calls ALTER COLUMN caller TYPE integer", "changes a type"),
        ("ALTER TABLE calls ALTER caller SET DATA TYPE integer", "changes a type"),
        ("ALTER TABLE calls ALTER COLUMN caller SET NOT NULL", "forbids NULL"),
        ("REVOKE SELECT ON calls FROM ai_admin_app", "takes a right"),
        ("CREATE FUNCTION new() …\n---\nREVOKE ALL ON FUNCTION ai_admin_accept FROM PUBLIC", "takes a right"),
        ("ALTER TABLE calls ADD COLUMN a INTEGER NOT NULL", "adds a column that the version before does not fill"),
        (
            "ALTER TABLE calls ADD COLUMN a INTEGER NOT NULL DEFAULT 1, ADD COLUMN b INTEGER NOT NULL",
            "adds a column that the version before does not fill",
        ),
        (
            "op.add_column('c', Column('a', Integer, nullable=False))",
            "adds a column that the version before does not fill",
        ),
    ],
)
def test_what_takes_away_is_seen(statement, what):
    assert taken_away(statement) == [what]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE calls ADD COLUMN a INTEGER NOT NULL DEFAULT 5",
        "ALTER TABLE calls ADD COLUMN a JSONB DEFAULT '{}'::jsonb NOT NULL",
        "ALTER TABLE calls ADD COLUMN a TEXT, ADD COLUMN b INTEGER DEFAULT 0 NOT NULL",
        "op.add_column('c', Column('a', Integer, nullable=False, server_default='5'))",
        "CREATE TABLE further (company_id UUID NOT NULL, id UUID NOT NULL)",
        "CREATE FUNCTION further(uuid[]) …\n---\nREVOKE ALL ON FUNCTION further(uuid[]) FROM PUBLIC",
        "-- DROP TABLE calls comes with the version after the next\nCREATE INDEX one ON calls (caller)",
    ],
)
def test_what_only_adds_is_let_through(statement):
    assert taken_away(statement) == []


# ---- what a program makes of a schema that is newer than itself


@pytest.fixture
def as_if_at(database_url):
    """Let the schema be at a revision that no program here knows, marked as serving programs from one on."""

    async def pretend(revision, mark):
        engine = create_async_engine(database_url, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": revision})
            if mark is not None:
                await connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{mark}'"))
        await engine.dispose()

    return pretend


async def test_a_program_runs_beside_a_newer_schema_that_still_serves_it(database_url, as_if_at):
    await as_if_at("9999", f"readable by {head()}")

    await require_schema(runtime_url(database_url))


async def test_the_schema_says_by_itself_whom_it_serves(database_url, as_if_at):
    await as_if_at("9999", None)

    await require_schema(runtime_url(database_url))


async def test_a_program_refuses_a_schema_that_has_lost_what_it_uses(database_url, as_if_at):
    await as_if_at("9999", "readable by 9998")

    with pytest.raises(SchemaAhead, match="programs from 9998 on"):
        await require_schema(runtime_url(database_url))


async def test_an_older_schema_is_refused_whatever_it_says(database_url):
    await downgrade(database_url, "-1")

    with pytest.raises(SchemaBehind, match="ai-admin db upgrade"):
        await require_schema(runtime_url(database_url))


def test_the_highest_mark_of_all_migrations_counts(monkeypatch):
    newest = next(db.upgrade.ScriptDirectory.from_config(db.upgrade._config()).walk_revisions())
    before = readable_by(newest.revision)

    class Marked:
        module = type("Module", (), {"readable_by": "9000"})

    class Unmarked:
        module = type("Module", (), {})

    class Scripts:
        def iterate_revisions(self, upper, lower):
            return iter([Unmarked, Marked, Unmarked])

    monkeypatch.setattr(db.upgrade.ScriptDirectory, "from_config", lambda config: Scripts())

    assert before >= READABLE_BY_FIRST
    assert readable_by("9001") == "9000"
