"""The agent's settings: set from a file, show."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument, read_file
from bot.cli.output import AsJson, say, show
from bot.cli.session import company_id_of, with_core
from db.records import AgentSettings

app = typer.Typer(no_args_is_help=True)


@app.command("set")
def set_(
    company: CompanyArgument,
    from_: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="A company's YAML file; its agent part is taken.")
    ],
) -> None:
    """Replace how the agent presents the company: description, catalogue, instructions."""
    file = read_file(from_)

    async def write(core: Core) -> None:
        await core.companies.set_agent(await company_id_of(core, company), file.agent)

    with_core(write)
    say(f"{company}: agent settings replaced from {from_}")


@app.command("show")
def show_(company: CompanyArgument, as_json: AsJson = False) -> None:
    """Show the agent's settings."""

    async def read(core: Core) -> AgentSettings:
        return (await core.companies.get_snapshot(await company_id_of(core, company))).agent

    show(asdict(with_core(read)), as_json=as_json)
