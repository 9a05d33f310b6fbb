"""Talking to a company's agent in the terminal, and looking at dialogues."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, show
from bot.cli.session import company_id_of, run_async, settings_with_logs, with_core


def register(app: typer.Typer) -> None:
    """Put these commands on the top level."""
    app.command()(chat)
    app.command()(dialogues)


def chat(
    company: CompanyArgument,
    phone: Annotated[str | None, typer.Option(help="Speak as a client whose phone is proved.")] = None,
    name: Annotated[str, typer.Option(help="The client's name.")] = "Гость",
) -> None:
    """Talk to the company's agent, as a client would. An empty line or Ctrl-D ends it."""
    import logging

    from bot.terminal import converse

    settings = settings_with_logs(level=logging.ERROR)
    run_async(converse(settings, company, name=name, phone=phone))


def dialogues(
    company: CompanyArgument,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that wait for a person.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a company's dialogues, the latest first."""
    from bot.app import Core
    from db.dialogues import Dialogues

    async def read(core: Core) -> list[dict[str, object]]:
        async with core.database.company(await company_id_of(core, company)) as tx:
            found = await Dialogues().list_dialogues(tx, open_only=open_only)
        return [
            {
                "id": str(one.id),
                "client": one.client_name,
                "in_charge": one.in_charge.value,
                "last": one.last_message_at,
                "unreachable": one.unreachable_at,
            }
            for one in found
        ]

    show(with_core(read), as_json=as_json)
