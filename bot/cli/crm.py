"""The company's CRM: set it, check it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import SecretStr

from bot.app import Core
from bot.checks import check_company_crm, describe_company_mapping
from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, ask_secret, ask_secret_if_any, fail, say, show
from bot.cli.session import company_id_of, with_core
from crm.base import CheckStatus, Manifest
from crm.registry import ADAPTERS, get_manifest
from db.records import CompanyId

app = typer.Typer(no_args_is_help=True)


@app.command("set")
def set_(
    company: CompanyArgument,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help=f"One of: {', '.join(sorted(ADAPTERS))}.")],
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", metavar="NAME=VALUE", help="An open field; repeat for more.")
    ] = None,
    check_it: Annotated[bool, typer.Option("--check/--no-check", help="Try the CRM at once.")] = True,
) -> None:
    """Connect the company's CRM, and try it at once.

    Secret fields are asked for, or read from stdin, one a line, in the order shown; an empty line leaves out one that
    may be left out.
    """
    if type_ not in ADAPTERS:
        raise typer.BadParameter(f"{type_!r}: known are {', '.join(sorted(ADAPTERS))}", param_hint="TYPE")
    manifest = get_manifest(type_)
    options = read_options(manifest, option or [])
    secrets: dict[str, SecretStr] = {}
    for field in manifest.fields:
        if field.secret:
            value = (ask_secret if field.required else ask_secret_if_any)(f"{field.title} ({field.name})")
            if value is not None:
                secrets[field.name] = value

    async def act(core: Core) -> list[dict[str, Any]]:
        company_id = await company_id_of(core, company)
        await core.companies.set_crm(company_id, type_, options=options, secrets=secrets)
        return await _checked(core, company_id) if check_it else []

    rows = with_core(act)
    say(f"{company}: {manifest.title} is set")
    if rows:
        show(rows, as_json=False)
    if any(row["status"] == CheckStatus.FAILED.value for row in rows):
        say(f"something is missing: put it right, then `ai-admin crm check {company}` tries it again")


@app.command()
def check(company: CompanyArgument, as_json: AsJson = False) -> None:
    """Try the CRM without leaving a trace, and compare its prices with the company's file."""

    async def act(core: Core) -> list[dict[str, Any]]:
        return await _checked(core, await company_id_of(core, company))

    rows = with_core(act)
    show(rows, as_json=as_json)
    if any(row["status"] == CheckStatus.FAILED.value for row in rows):
        raise typer.Exit(1)


@app.command()
def hook(
    company: CompanyArgument,
    branch: Annotated[str | None, typer.Option(help="Which branch, by its key; with one branch it is that.")] = None,
) -> None:
    """Make the address that the CRM tells of changes at; the one before stops working."""

    async def act(core: Core) -> str:
        snapshot = await core.companies.get_snapshot(await company_id_of(core, company))
        chosen = [one for one in snapshot.branches if branch in (None, one.key)]
        if len(chosen) != 1:
            fail(f"name one branch with --branch: {', '.join(one.key for one in snapshot.branches)}")
        if core.settings.public_url is None:
            fail("AI_ADMIN_PUBLIC_URL is not set: a CRM could not reach this installation")
        token = await core.companies.make_crm_hook(snapshot.company.id, chosen[0].id)
        return f"{core.settings.public_url.rstrip('/')}/api/v1/crm/webhook/{token}"

    say(with_core(act))
    say("Put this address into the CRM. It is a key: it is shown once, and whoever knows it may ask us to look.")


@app.command()
def mapping(company: CompanyArgument, as_json: AsJson = False) -> None:
    """Show which of the CRM's fields carry what (1c, bitrix24), and whether they were found there."""

    async def act(core: Core) -> list[dict[str, Any]]:
        return await describe_company_mapping(core, await company_id_of(core, company))

    rows = with_core(act)
    if not rows:
        fail("this CRM has no fields to map: its adapter knows them")
    show(rows, as_json=as_json)


async def _checked(core: Core, company_id: CompanyId) -> list[dict[str, Any]]:
    return [
        {"branch": branch, "what": line.subject, "status": line.status.value, "detail": line.detail}
        for branch, line in await check_company_crm(core, company_id)
    ]


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
