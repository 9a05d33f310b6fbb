"""What admins and staff did: listed, and looked through for a broken link."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from bot.app import Core
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, with_core
from db.audit import PLATFORM, AuditEntry, ChainVerdict
from db.records import CompanyId

app = typer.Typer(no_args_is_help=True)

_PLATFORM = "platform"
_Anchors = Mapping[CompanyId, Mapping[int, bytes]]

CompanyIfAny = Annotated[
    str | None, typer.Argument(metavar="[COMPANY]", help="Slug, id or `platform`; without it, everything.")
]


@app.command("list")
def list_(
    company: CompanyIfAny = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="2026-11-24, or with a time; UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many of each chain, the latest.")] = 200,
    as_json: AsJson = False,
) -> None:
    """List who did what and when, and what was changed; the oldest first."""
    start = _moment(since) if since else None

    async def read(core: Core) -> list[tuple[str, AuditEntry]]:
        found = []
        for company_id, name in (await _chains(core, company)).items():
            async with core.database.reading(company_id) as tx:
                entries = await core.audit.list_entries(tx, since=start, limit=limit)
            found += [(name, entry) for entry in entries]
        return sorted(found, key=lambda pair: pair[1].at)

    show([_row(name, entry) for name, entry in with_core(read)], as_json=as_json)


@app.command()
def verify(
    company: CompanyIfAny = None,
    anchors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `audit verify --json` printed earlier: it must still stand there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow every chain from its first entry, and name the first link that is broken. Exit code 1 where one is.

    That the end of a chain was cut off, only a noted head tells: keep the output of `--json` elsewhere.
    """
    noted = _read_anchors(anchors) if anchors else {}

    async def read(core: Core) -> list[tuple[str, ChainVerdict]]:
        chains = await _chains(core, company)
        if company is None:
            # A company that was taken out of the table has its chain still.
            chains |= {company_id: str(company_id) for company_id in noted if company_id not in chains}
        found = []
        for company_id, name in chains.items():
            # A replica that lags would not have the end of the chain that was noted down.
            looking = core.database.company if noted else core.database.reading
            async with looking(company_id) as tx:
                found.append((name, await core.audit.verify(tx, anchors=noted.get(company_id))))
        return found

    verdicts = with_core(read)
    rows = [
        {
            "chain": name,
            "company_id": str(verdict.company_id),
            "entries": verdict.entries,
            "head": verdict.head.hex(),
            "broken_at": verdict.broken_at,
            "fault": verdict.fault,
        }
        for name, verdict in verdicts
    ]
    show(rows, as_json=as_json)
    broken = [f"{name}: {verdict.fault}" for name, verdict in verdicts if verdict.fault]
    if broken:
        fail("\n".join(broken))
    if not as_json:
        say("every chain is whole")


async def _chains(core: Core, company: str | None) -> dict[CompanyId, str]:
    """Return the chains that are asked for, each with its name."""
    if company == _PLATFORM:
        return {PLATFORM: _PLATFORM}
    if company is not None:
        return {await company_id_of(core, company): company}
    return {PLATFORM: _PLATFORM, **{one.id: one.slug for one in await core.companies.list_companies()}}


def _row(name: str, entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        "chain": name,
        "number": entry.number,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
    }


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date", param_hint="--since") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_anchors(path: Path) -> _Anchors:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {CompanyId(UUID(row["company_id"])): {int(row["entries"]): bytes.fromhex(row["head"])} for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{path}: is not what `ai-admin audit verify --json` prints ({type(error).__name__})")
