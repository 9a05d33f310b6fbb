"""Trying a company's agent out before clients do."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, with_core


def register(app: typer.Typer) -> None:
    """Put the command on the top level."""
    app.command("eval")(evaluate)


def evaluate(
    company: CompanyArgument,
    scenarios: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of scenarios; without it, those that fit any company.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=20, help="How often each scenario is played.")] = 1,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with every dialogue.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let simulated clients talk to the company's agent on a copy of its CRM, and judge what stands at the end."""
    from bot.rehearsal.company import evaluate_company
    from bot.rehearsal.copy import NothingToCopy
    from bot.rehearsal.page import page_of
    from bot.rehearsal.report import figures_of, lines_of
    from bot.rehearsal.scenario import ScenarioError
    from bot.sdks import load_sdks

    async def run(core: Core) -> tuple[list[str], dict[str, object], str]:
        await load_sdks()
        evaluation = await evaluate_company(core, company, folder=scenarios, runs=runs)
        language = (await core.companies.get_snapshot(await company_id_of(core, company))).agent.language
        return lines_of(evaluation), figures_of(evaluation), page_of(evaluation, language=language)

    try:
        lines, figures, page = with_core(run, level=logging.ERROR)
    except (ScenarioError, NothingToCopy) as error:
        fail(str(error))
    if report is not None:
        report.write_text(page, encoding="utf-8")
    if as_json:
        show(figures, as_json=True)
        return
    say("\n".join(lines))
    if report is not None:
        say(f"the page: {report}")
