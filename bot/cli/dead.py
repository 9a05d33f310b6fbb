"""Updates that could not be processed. An id is looked for company by company: a transaction sees one company's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from bot.app import Core
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, with_core
from db.audit import Action
from db.engine import Transaction
from db.errors import NotFound
from db.inbox import DeadUpdate
from db.records import Channel, Company, WorkKind

app = typer.Typer(no_args_is_help=True)

UpdateArgument = Annotated[str, typer.Argument(metavar="ID", help="The update's id, from `dead list`.")]


@app.command("list")
def list_(
    company: Annotated[str | None, typer.Option(metavar="COMPANY", help="Only this company's: slug or id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the updates of all companies that could not be processed, the latest of each first."""

    async def read(core: Core) -> list[dict[str, Any]]:
        wanted = None if company is None else await company_id_of(core, company)
        return [
            row
            for one in await core.companies.list_companies()
            if wanted in (None, one.id)
            for row in await _rows(core, one)
        ]

    show(with_core(read), as_json=as_json)


@app.command()
def retry(update_id: UpdateArgument) -> None:
    """Put an update back to be processed."""
    wanted = _read_id(update_id)

    async def act(core: Core) -> None:
        await _in_its_company(core, wanted, core.inbox.retry_dead, Action.DEAD_RETRY)
        await core.doorbell.ring(WorkKind.TURN)

    with_core(act)
    say(f"{update_id} is tried again")


@app.command()
def drop(update_id: UpdateArgument) -> None:
    """Give an update up for good."""
    wanted = _read_id(update_id)

    async def act(core: Core) -> None:
        await _in_its_company(core, wanted, core.inbox.drop_dead, Action.DEAD_DROP)

    with_core(act)
    say(f"{update_id} is dropped")


async def _rows(core: Core, company: Company) -> Sequence[dict[str, Any]]:
    async with core.database.company(company.id) as tx:
        dead = await core.inbox.list_dead(tx)
    if not dead:
        return []
    channels = {one.id: one for one in await core.companies.list_channels(company.id)}
    return [_row(company, one, channels.get(one.channel_id)) for one in dead]


def _row(company: Company, update: DeadUpdate, channel: Channel | None) -> dict[str, Any]:
    return {
        "id": str(update.id),
        "company": company.slug,
        "channel": f"{channel.type.value} {channel.name}" if channel else None,
        "dialogue": str(update.dialogue_id),
        "update": update.update_key,
        "tries": update.attempts,
        "error": update.error,
        "accepted_at": update.accepted_at,
        "died_at": update.died_at,
    }


def _read_id(update_id: str) -> UUID:
    try:
        return UUID(update_id)
    except ValueError:
        fail(f"{update_id!r} is not an update's id; `ai-admin dead list` shows them")


async def _in_its_company(
    core: Core, update_id: UUID, act: Callable[[Transaction, UUID], Awaitable[None]], action: Action
) -> None:
    """Act in the company that the update is of, and write it down. Raises NotFound."""
    for company in await core.companies.list_companies():
        try:
            async with core.database.company(company.id) as tx:
                await act(tx, update_id)
                await core.audit.record(tx, action, subject=f"update {update_id}")
        except NotFound:
            continue
        return
    raise NotFound(f"there is no dead update {update_id}; `ai-admin dead list` shows them")
