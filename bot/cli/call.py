"""Telephone calls: calling a company's agent in the terminal, and the calls that there were."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, show
from bot.cli.session import company_id_of, run_async, settings_with_logs, with_core


def register(app: typer.Typer) -> None:
    """Put these commands on the top level."""
    app.command()(call)
    app.command()(calls)


def call(
    company: CompanyArgument,
    phone: Annotated[str, typer.Option(help="The number you call from; without it, it is hidden.")] = "",
) -> None:
    """Call a company's agent: typed lines are your speech, `#1234` are keys, an empty line hangs up."""
    from bot.handset import call as hold

    run_async(hold(settings_with_logs(level=40), company, phone=phone or None))


def calls(
    company: CompanyArgument,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days back.")] = 7,
    as_json: AsJson = False,
) -> None:
    """List a company's telephone calls: when, from where, how long, how they ended, what the model cost."""
    from db.calls import Calls

    async def read(core: Core) -> list[dict[str, Any]]:
        company_id = await company_id_of(core, company)
        async with core.database.company(company_id) as tx:
            found = await Calls().list_since(tx, core.clock() - timedelta(days=days))
        return [
            {
                "started": one.started_at,
                "caller": one.caller or "hidden",
                "seconds": round(one.length.total_seconds()) if one.length else None,
                "outcome": one.outcome or "open",
                "model_usd": round(one.cost / 1_000_000, 4),
                "dialogue": str(one.dialogue_id),
            }
            for one in found
        ]

    show(with_core(read), as_json=as_json)
