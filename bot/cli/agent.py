"""The agent's settings: set from a file, show."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument, read_file
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, with_core
from db.records import AgentSettings
from db.spending import Spending

app = typer.Typer(no_args_is_help=True)


@app.command("set")
def set_(
    company: CompanyArgument,
    from_: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="A company's YAML file; its agent part is taken.")
    ],
    gate: Annotated[
        bool, typer.Option("--gate", help="Play the scenarios with the old and the new settings; refuse what is worse.")
    ] = False,
    scenarios: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The scenarios of the gate; without it, those that fit any company."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=20, help="How often the gate plays each scenario.")] = 1,
) -> None:
    """Replace how the agent presents the company: description, catalogue, instructions."""
    file = read_file(from_)

    async def write(core: Core) -> list[str]:
        if gate and (worse := await _worse(core, company, file.agent, scenarios, runs)):
            return worse
        await core.companies.set_agent(await company_id_of(core, company), file.agent)
        return []

    if worse := with_core(write, level=logging.ERROR if gate else logging.WARNING):
        fail(f"{company}: nothing was changed. With {from_} these scenarios fall:\n" + "\n".join(worse))
    say(f"{company}: agent settings replaced from {from_}")


async def _worse(core: Core, company: str, agent: AgentSettings, scenarios: Path | None, runs: int) -> list[str]:
    """Return the scenarios that fall with the new settings; none where they are as good as the old ones."""
    from bot.rehearsal.company import evaluate_company, lowered
    from bot.rehearsal.copy import NothingToCopy
    from bot.rehearsal.scenario import ScenarioError
    from bot.sdks import load_sdks

    await load_sdks()
    try:
        before = await evaluate_company(core, company, folder=scenarios, runs=runs)
        after = await evaluate_company(core, company, folder=scenarios, runs=runs, agent=agent)
    except (ScenarioError, NothingToCopy) as error:
        fail(str(error))
    return list(lowered(before, after))


@app.command("show")
def show_(company: CompanyArgument, as_json: AsJson = False) -> None:
    """Show the agent's settings, and what its model has cost this month."""

    async def read(core: Core) -> dict[str, object]:
        company_id = await company_id_of(core, company)
        async with core.database.company(company_id) as tx:
            spent = await Spending().this_month(tx, now=core.clock())
        agent = (await core.companies.get_snapshot(company_id)).agent
        return {**asdict(agent), "spent_this_month_usd": round(spent / 1_000_000, 2)}

    show(with_core(read), as_json=as_json)
