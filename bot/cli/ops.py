"""The schema."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bot.admins import admin_of
from bot.app import start_servers, utc_now
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import run_async, settings_with_logs
from db.audit import AuditTrail
from db.distribution import Step
from db.distribution import distribute as spread
from db.upgrade import current, head, require_schema, upgrade

db = typer.Typer(no_args_is_help=True)


@db.command("upgrade")
def upgrade_() -> None:
    """Bring the schema up to this version. Run it with the owner's address, before the processes start."""
    settings = settings_with_logs()

    async def act() -> str:
        async with start_servers(settings) as (database_url, _, _):
            await upgrade(database_url, audit=AuditTrail(utc_now, admin_of(settings)))
            return str(await current(database_url))

    say(f"the schema is at {run_async(act())}")


@db.command("check")
def check(as_json: AsJson = False) -> None:
    """Say which version the schema has and which one this program wants."""
    settings = settings_with_logs()

    async def act() -> dict[str, Any]:
        async with start_servers(settings) as (database_url, _, _):
            return {"schema": await current(database_url), "wanted": head()}

    versions = run_async(act())
    show(versions, as_json=as_json)
    if versions["schema"] != versions["wanted"]:
        fail("the schema is not at this program's version; run `ai-admin db upgrade`")


@db.command("distribute")
def distribute(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the statements.")] = False,
    as_json: AsJson = False,
) -> None:
    """Spread the tables over a Citus cluster by company. Run it with the owner's address while nothing else runs.

    It was never run on a real Citus; docs/scaling.md says what is known.
    """
    settings = settings_with_logs()

    async def act() -> list[Step]:
        async with start_servers(settings) as (database_url, _, _):
            await require_schema(database_url)
            return await spread(database_url, AuditTrail(utc_now, admin_of(settings)), dry_run=dry_run)

    steps = run_async(act())
    if as_json:
        show([{**_told(step), "statements": list(step.statements)} for step in steps], as_json=True)
        return
    for step in steps:
        say(f"-- {step.table or 'functions'}: {step.why}")
        for statement in step.statements:
            say(f"{statement};")
    if not steps:
        say("everything is distributed already")


def _told(step: Step) -> dict[str, Any]:
    return {"table": step.table, "kind": step.kind.value if step.kind else None, "why": step.why}
