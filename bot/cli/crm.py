"""The company's CRM: set it, check it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import SecretStr

from bot.app import Core
from bot.checks import check_company_crm
from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, ask_secret, fail, say, show
from bot.cli.session import company_id_of, with_core
from crm.base import CheckStatus, Manifest
from crm.registry import ADAPTERS, get_manifest

app = typer.Typer(no_args_is_help=True)


@app.command("set")
def set_(
    company: CompanyArgument,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help=f"One of: {', '.join(sorted(ADAPTERS))}.")],
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", metavar="NAME=VALUE", help="An open field; repeat for more.")
    ] = None,
) -> None:
    """Connect the company's CRM. Secret fields are asked for, or read from stdin, one a line, in the order shown."""
    if type_ not in ADAPTERS:
        raise typer.BadParameter(f"{type_!r}: known are {', '.join(sorted(ADAPTERS))}", param_hint="TYPE")
    manifest = get_manifest(type_)
    options = read_options(manifest, option or [])
    secrets: dict[str, SecretStr] = {}
    for field in manifest.fields:
        if field.secret:
            secrets[field.name] = ask_secret(f"{field.title} ({field.name})")

    async def act(core: Core) -> None:
        await core.companies.set_crm(await company_id_of(core, company), type_, options=options, secrets=secrets)

    with_core(act)
    say(f"{company}: {manifest.title} is set; `ai-admin crm check {company}` tries it")


@app.command()
def check(company: CompanyArgument, as_json: AsJson = False) -> None:
    """Try the CRM without leaving a trace, and compare its prices with the company's file."""

    async def act(core: Core) -> list[dict[str, Any]]:
        lines = await check_company_crm(core, await company_id_of(core, company))
        return [
            {"branch": branch, "what": line.subject, "status": line.status.value, "detail": line.detail}
            for branch, line in lines
        ]

    rows = with_core(act)
    show(rows, as_json=as_json)
    if any(row["status"] == CheckStatus.FAILED.value for row in rows):
        raise typer.Exit(1)


def read_options(manifest: Manifest, given: list[str]) -> dict[str, str]:
    """Read NAME=VALUE pairs against the manifest; every fault at once."""
    fields = {field.name: field for field in manifest.fields if not field.secret}
    secret = {field.name for field in manifest.fields if field.secret}
    options: dict[str, str] = {}
    faults = []
    for pair in given:
        name, sign, value = pair.partition("=")
        if name in secret:
            faults.append(f"{name} is a secret: it is asked for, or read from stdin, never an argument")
        elif not sign or name not in fields:
            faults.append(f"{pair!r}: known options are {', '.join(fields) or 'none'}, as NAME=VALUE")
        else:
            options[name] = value
    for field in fields.values():
        if field.name not in options:
            if field.default is not None:
                options[field.name] = field.default
            elif field.required:
                faults.append(f"{field.name} is missing ({field.title}): --option {field.name}=…")
    if faults:
        fail("\n".join(faults))
    return options
