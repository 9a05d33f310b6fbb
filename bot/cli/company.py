"""Companies: create, list, show, export, import, disable, enable."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.app import Core
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, with_core
from bot.companies import create_from_file, file_of, replace_from_file
from bot.company_file import CompanyFile, CompanyFileErrors, parse_company_file
from bot.company_outreach import NOT_ANSWERED, write_quiet, write_reminders
from bot.company_writing import write_company_file
from bot.settings import Mode
from db.records import Company, CompanyId, CompanySnapshot
from handlers.log_levels import LEVELS

app = typer.Typer(no_args_is_help=True)

CompanyArgument = Annotated[str, typer.Argument(metavar="COMPANY", help="Slug or id.")]
FileOption = Annotated[Path | None, typer.Option("--from", metavar="FILE", help="The company's YAML file.")]


def _careful(core: Core) -> bool:
    """Say whether a new company's agent begins with drafts that staff send."""
    return core.settings.mode is Mode.PRODUCTION


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The company's name.")],
    slug: Annotated[str | None, typer.Option(help="A short name for commands; made from the name if left out.")] = None,
    from_: FileOption = None,
    as_json: AsJson = False,
) -> None:
    """Create a company, by itself or from its file."""
    file = read_file(from_) if from_ else None
    created = with_core(
        lambda core: create_from_file(core.companies, name=name, slug=slug, file=file, careful=_careful(core))
    )
    show({"id": created.id, "slug": created.slug, "name": created.name}, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the companies."""

    async def read(core: Core) -> list[Company]:
        return list(await core.companies.list_companies())

    rows = [
        {"slug": one.slug, "name": one.name, "plan": one.plan, "disabled": one.disabled, "id": str(one.id)}
        for one in with_core(read)
    ]
    show(rows, as_json=as_json)


@app.command("show")
def show_(company: CompanyArgument, as_json: AsJson = False) -> None:
    """Show a company with its branches, CRM and channels. Secrets are never shown."""
    show(with_core(lambda core: describe(core, company)), as_json=as_json)


@app.command()
def export(company: CompanyArgument) -> None:
    """Write the company's file to stdout; `import` reads it back, to the byte."""

    async def read(core: Core) -> str:
        company_id = await company_id_of(core, company)
        return write_company_file(file_of(await core.companies.get_snapshot(company_id)))

    sys.stdout.write(with_core(read))


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="The company's YAML file.")], as_json: AsJson = False) -> None:
    """Create or replace a company from its file. A bad file names every error and changes nothing."""
    parsed = read_file(file)
    company = with_core(lambda core: replace_from_file(core.companies, parsed, careful=_careful(core)))
    show({"id": company.id, "slug": company.slug, "name": company.name}, as_json=as_json)


@app.command()
def logs(
    company: CompanyArgument,
    level: Annotated[str, typer.Argument(help="debug, info, warning or error; usual: as of everybody.")],
    minutes: Annotated[int, typer.Option(min=1, max=24 * 60, help="For how long.")] = 60,
) -> None:
    """Log more, or less, of one company's work for a time, in every running process."""
    if level != "usual" and level not in LEVELS:
        fail(f"LEVEL is one of {', '.join(LEVELS)}, usual; not {level!r}")

    async def act(core: Core) -> datetime | None:
        until = None if level == "usual" else core.clock() + timedelta(minutes=minutes)
        company_id = await company_id_of(core, company)
        await core.companies.set_log_level(company_id, None if until is None else level, until=until)
        return until

    until = with_core(act)
    say(f"{company} logs {level}" + (f" until {until:%H:%M} UTC" if until else ""))


@app.command()
def disable(company: CompanyArgument) -> None:
    """Close the company's doors: its webhooks answer as if they were not there."""
    with_core(lambda core: set_disabled(core, company, disabled=True))
    say(f"{company} is disabled")


@app.command()
def enable(company: CompanyArgument) -> None:
    """Open the company's doors again."""
    with_core(lambda core: set_disabled(core, company, disabled=False))
    say(f"{company} is enabled")


def read_file(path: Path) -> CompanyFile:
    """Read a company's file, or leave with every error that it has."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")
    try:
        return parse_company_file(text)
    except CompanyFileErrors as errors:
        fail(f"{path} has errors; nothing was changed\n{errors}")


async def set_disabled(core: Core, company: str, *, disabled: bool) -> CompanyId:
    company_id = await company_id_of(core, company)
    await core.companies.set_disabled(company_id, disabled=disabled)
    return company_id


async def describe(core: Core, company: str) -> dict[str, Any]:
    """Return what `company show` prints."""
    company_id = await company_id_of(core, company)
    snapshot: CompanySnapshot = await core.companies.get_snapshot(company_id)
    channels = await core.companies.list_channels(company_id)
    return {
        "id": str(company_id),
        "slug": snapshot.company.slug,
        "name": snapshot.company.name,
        "email": snapshot.company.email,
        "plan": snapshot.company.plan,
        "disabled": snapshot.company.disabled,
        "paused_at": snapshot.company.paused_at,
        "paused_by": snapshot.company.paused_by,
        "log_level": snapshot.company.log_level,
        "log_level_until": snapshot.company.log_level_until,
        "language": snapshot.agent.language,
        "reminders": NOT_ANSWERED if snapshot.agent.reminders is None else write_reminders(snapshot.agent.reminders),
        "quiet_hours": write_quiet(snapshot.agent.quiet_hours),
        "services": len(snapshot.agent.services),
        "branches": [
            {"key": b.key, "name": b.name, "address": b.address, "zone": b.time_zone} for b in snapshot.branches
        ],
        "crm": {"type": snapshot.crm.type, **snapshot.crm.options} if snapshot.crm else None,
        "channels": [
            {"id": str(c.id), "type": c.type.value, "name": c.name, "status": c.status.value} for c in channels
        ],
        "channels_to_add": [
            one.value for one in snapshot.company.channels if one not in {channel.type for channel in channels}
        ],
    }
