"""One client's personal data: exported, erased with a signed act, and the act checked."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument
from bot.cli.output import fail, say
from bot.cli.session import company_id_of, with_core
from bot.client_data import ClientData, Outcome, Plan
from bot.erasure_acts import BadAct, Reason, check_signature, in_words, read_act
from locales import Translator

app = typer.Typer(no_args_is_help=True)
act = typer.Typer(no_args_is_help=True)
app.add_typer(act, name="act", help="The signed acts of erasures.")

WhoArgument = Annotated[
    str, typer.Argument(metavar="PHONE", help="The client's number, or a dialogue's id from `dialogues COMPANY`.")
]
ProvedOnly = Annotated[
    bool,
    typer.Option("--proved-only", help="Leave out where the number was only typed, or told by the telephone network."),
]


@app.command()
def export(company: CompanyArgument, who: WhoArgument, proved_only: ProvedOnly = False) -> None:
    """Write everything that is kept of a client to stdout, as JSON (docs/privacy.md says in which shape)."""

    async def read(core: Core) -> dict[str, Any]:
        return await ClientData(core).export(await company_id_of(core, company), who, proved_only=proved_only)

    typer.echo(json.dumps(with_core(read), ensure_ascii=False, indent=2))


@app.command()
def erase(
    company: CompanyArgument,
    who: WhoArgument,
    proved_only: ProvedOnly = False,
    reason: Annotated[Reason, typer.Option(help="Why.")] = Reason.REQUEST,
    by: Annotated[str, typer.Option(help="Who erases, with position: for the act.")] = "",
    processor: Annotated[
        str, typer.Option(help="Name and address of who runs this installation for the business: for the act.")
    ] = "",
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the act is written.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a client over all channels, and write the signed act. What the CRM keeps is named and not touched."""
    if not os.access(out, os.W_OK):
        fail(f"{out}: the act could not be written there; nothing was erased")

    async def look(core: Core) -> Plan:
        return await ClientData(core).plan(await company_id_of(core, company), who, proved_only=proved_only)

    plan = with_core(look)
    _announce(plan)
    if not yes:
        typer.confirm("Erase all this for good?", abort=True)

    async def carry_out(core: Core) -> tuple[Outcome, str]:
        outcome = await ClientData(core).erase(plan, reason=reason, by=by or None, processor=processor or None)
        snapshot = await core.companies.get_snapshot(plan.company_id)
        return outcome, snapshot.agent.language

    outcome, language = with_core(carry_out)
    _write(outcome.act, out, language)
    if outcome.redis_keys is None:
        say("Redis did not answer: what stands there ends by itself within two days")


@act.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The act's JSON file.")],
    public_key: Annotated[
        str, typer.Option(help="Check with this key (base64) alone, without the installation that signed it.")
    ] = "",
) -> None:
    """Check that an act was signed by this installation and was not changed."""
    try:
        document = read_act(file.read_text(encoding="utf-8"))
        if public_key:
            check_signature(document, base64.b64decode(public_key, validate=True))
            say(f"the signature is good: key {document['signature']['key']}")
            return
        recorded = with_core(lambda core: ClientData(core).verify(document))
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        fail(f"{file}: {error}")
    except BadAct as error:
        fail(f"{file}: {error}")
    say(f"the signature is good: key {document['signature']['key']}")
    if recorded is None:
        fail(f"{file}: its erasure is not recorded here (records are kept for three years)")
    say(f"its erasure is recorded here, at {recorded:%Y-%m-%d %H:%M:%S %Z}")


def _announce(plan: Plan) -> None:
    """Say what will be done."""
    say(f"client {plan.subject.phone or 'without a proved phone'}: {len(plan.subject.dialogue_ids)} dialogues")
    for dialogue_id, how in plan.subject.found_by.items():
        say(f"  {dialogue_id}  {how}")
    say("to be erased:")
    for name, number in plan.rows.items():
        say(f"  {name:<18} {number}")
    if plan.records:
        say(f"kept in the CRM ({plan.crm}), to be erased there by the business: {', '.join(plan.records)}")


def _write(document: Mapping[str, Any], folder: Path, language: str) -> None:
    """Write the act for machines and for people."""
    path = folder / f"erasure-{document['act']['act']}.json"
    try:
        path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        words = in_words(document, Translator.for_language(language))
        path.with_suffix(".txt").write_text(words, encoding="utf-8")
    except OSError as error:
        # What is erased cannot be erased again: the act must not be lost.
        typer.echo(json.dumps(document, ensure_ascii=False))
        fail(f"erased, but {path} could not be written ({error}); keep the act above")
    say(f"erased; the act: {path}, {path.with_suffix('.txt').name}. Sign and keep it for three years")
