"""The schema, the keys, and updates that could not be processed."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from bot.app import Core, start_servers
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, run_async, settings_with_logs, with_core
from db.crypto import new_master_key
from db.records import DeadUpdate, WorkKind
from db.upgrade import current, head, upgrade

db = typer.Typer(no_args_is_help=True)
keys = typer.Typer(no_args_is_help=True)
dead = typer.Typer(no_args_is_help=True)


@db.command("upgrade")
def upgrade_() -> None:
    """Bring the schema up to this version. Run it with the owner's address, before the processes start."""
    settings = settings_with_logs()

    async def act() -> str:
        async with start_servers(settings) as (database_url, _, _):
            await upgrade(database_url)
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


@keys.command("new")
def new() -> None:
    """Print a new master key for AI_ADMIN_MASTER_KEYS."""
    say(new_master_key())


CompanyOption = Annotated[str, typer.Argument(metavar="COMPANY", help="Slug or id.")]


@dead.command("list")
def list_(company: CompanyOption, as_json: AsJson = False) -> None:
    """List a company's updates that could not be processed, with the last error."""

    async def read(core: Core) -> list[DeadUpdate]:
        async with core.database.company(await company_id_of(core, company)) as tx:
            return list(await core.inbox.list_dead(tx))

    rows = [
        {"id": str(one.id), "update": one.update_key, "died_at": one.died_at, "tries": one.attempts, "error": one.error}
        for one in with_core(read)
    ]
    show(rows, as_json=as_json)


@dead.command("retry")
def retry(company: CompanyOption, update_id: str) -> None:
    """Put an update back to be processed."""

    async def act(core: Core) -> None:
        async with core.database.company(await company_id_of(core, company)) as tx:
            await core.inbox.retry_dead(tx, UUID(update_id))
        await core.doorbell.ring(WorkKind.TURN)

    with_core(act)
    say(f"{update_id} is tried again")


@dead.command("drop")
def drop(company: CompanyOption, update_id: str) -> None:
    """Give an update up for good."""

    async def act(core: Core) -> None:
        async with core.database.company(await company_id_of(core, company)) as tx:
            await core.inbox.drop_dead(tx, UUID(update_id))

    with_core(act)
    say(f"{update_id} is dropped")
