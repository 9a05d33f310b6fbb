"""Company by company: the checks of its channels and of its CRM, and what has died or waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.app import Core
from bot.checks import check_company_crm
from bot.doctor.channels import look_at_channel, name_of
from bot.doctor.reminders import look_at_reminders
from bot.doctor.rows import INSIDE, Check, Row, Status, failed, ok, run_checks, warn
from crm.base import CheckLine, CheckStatus
from db.errors import DBError
from db.key_rotation import KeyRotation
from db.models import accepted_updates
from db.records import ChannelStatus, Company, CompanySnapshot, WorkKind

CRM_LIMIT, CRMS_AT_ONCE = timedelta(seconds=60), 2
"""A CRM is asked dozens of things one after another at its vendor's pace, which clients' dialogues need too."""
QUEUE_WARNS, QUEUE_FAILS = timedelta(seconds=30), timedelta(minutes=5)
_MOST_LINES = 3
_UNREADABLE = (DBError, SQLAlchemyError, LookupError, TypeError, ValueError)
"""What a company's rows raise that the database does not give, or that this version has not written: a row says so."""


async def examine_companies(core: Core) -> list[Row]:
    """Return the rows of everything that is kept or asked company by company."""
    channels, crms = await _checks_of_companies(core)
    found = await asyncio.gather(run_checks([*_inside_checks(core), *channels]), run_checks(crms, at_once=CRMS_AT_ONCE))
    return [row for rows in found for row in rows]


async def _checks_of_companies(core: Core) -> tuple[list[Check], list[Check]]:
    """Return the checks of the channels, and those of the CRMs, of every company that is not disabled."""
    channels, crms = [], []
    for company in await core.companies.list_companies():
        if company.disabled:
            continue
        try:
            *its_channels, its_crm = await _checks_of(core, company)
        except _UNREADABLE as error:
            channels.append(_unreadable(company, error))
        else:
            channels += its_channels
            crms.append(its_crm)
    return channels, crms


async def _checks_of(core: Core, company: Company) -> list[Check]:
    """Return the checks of a company's channels and reminders, and at last that of its CRM."""
    snapshot = await core.companies.get_snapshot(company.id)
    channels = await core.companies.list_channels(company.id)
    return [
        *(
            Check(
                what=name_of(snapshot, channel),
                look=partial(look_at_channel, core, snapshot, channel),
                advice="see that this machine reaches the messenger, and try again",
            )
            for channel in channels
            if channel.status is not ChannelStatus.DISABLED
        ),
        Check(
            what=f"{company.slug}: reminders",
            look=partial(look_at_reminders, snapshot, channels),
            advice="see `ai-admin company show`",
        ),
        Check(
            what=f"{company.slug}: CRM",
            look=partial(look_at_crm, core, snapshot),
            advice=f"see that this machine reaches the CRM; `ai-admin crm check {company.slug}` takes its time",
            limit=CRM_LIMIT,
        ),
    ]


def _unreadable(company: Company, error: Exception) -> Check:
    async def say() -> Sequence[Row]:
        raise error

    return Check(what=company.slug, look=say, advice="see the database's log, and `ai-admin company show`")


async def look_at_crm(core: Core, snapshot: CompanySnapshot) -> Sequence[Row]:
    """Return a row for each branch: what `ai-admin crm check` says, put together."""
    slug = snapshot.company.slug
    if snapshot.crm is None:
        advice = f"`ai-admin crm set {slug} TYPE`; until then clients are told to ring the company"
        return [warn(f"{slug}: CRM", "none is set: nothing can be booked", advice)]
    lines: dict[str, list[CheckLine]] = {}
    for branch, line in await check_company_crm(core, snapshot.company.id):
        lines.setdefault(branch, []).append(line)
    return [_crm(slug, f"{slug}: {snapshot.crm.type} {branch}", found) for branch, found in lines.items()]


async def look_at_ciphertexts(core: Core) -> Sequence[Row]:
    """Say whether the ring holds every key that a secret is under."""
    found = await KeyRotation(core.database, core.keys, core.audit, core.companies.tell).status()
    rows = sum(found.rows.values())
    if found.missing:
        lost = sum(count for (key_id, _), count in found.rows.items() if key_id in found.missing)
        advice = "put the key back on AI_ADMIN_MASTER_KEYS; if it is lost, `crm set` and `channel add` anew"
        names = ", ".join(key_id or "no key" for key_id in found.missing)
        return [failed("secrets", f"{lost} of {rows} are under keys that are not there: {names}", advice)]
    older = sum(count for (key_id, _), count in found.rows.items() if key_id != found.current)
    if older:
        return [
            Row(
                what="secrets",
                status=Status.OK,
                detail=f"{older} of {rows} are under an older key of the ring",
                advice="`ai-admin keys rotate` when every process has the new key first",
            )
        ]
    return [ok("secrets", f"{rows}, all under {found.current}")]


async def look_at_dead_letters(core: Core) -> Sequence[Row]:
    """Count the updates that could not be processed, company by company."""
    rows, table = [], accepted_updates.c
    for company in await core.companies.list_companies():
        async with core.database.company(company.id) as tx:
            dead = await tx.connection.scalar(
                select(func.count()).where(table.company_id == company.id, table.dead_at.is_not(None))
            )
        if dead:
            advice = f"`ai-admin dead list --company {company.slug}` tells why; then `dead retry ID` or `dead drop ID`"
            rows.append(warn(f"{company.slug}: dead letters", f"{dead} updates could not be processed", advice))
    return rows or [ok("dead letters", "none")]


async def look_at_queue(core: Core) -> Sequence[Row]:
    """Say how long what is due has waited for a worker."""
    return [
        await _queue(core, kind, what) for kind, what in ((WorkKind.TURN, "messages"), (WorkKind.DELIVERY, "replies"))
    ]


def _inside_checks(core: Core) -> list[Check]:
    """Return the checks of our own stores that go through all companies."""
    again = "see the database's log; nothing else depends on this"
    return [
        Check(what="secrets", look=lambda: look_at_ciphertexts(core), advice=again, limit=INSIDE),
        Check(what="dead letters", look=lambda: look_at_dead_letters(core), advice=again, limit=INSIDE),
        Check(what="queue", look=lambda: look_at_queue(core), advice=again, limit=INSIDE),
    ]


async def _queue(core: Core, kind: WorkKind, what: str) -> Row:
    waited = await core.work.oldest_due(kind)
    name = f"queue of {what}"
    if waited is None:
        return ok(name, "nothing waits")
    detail = f"the oldest has waited for {waited.total_seconds():.0f} s"
    advice = "see that a worker runs and what it logs; start more, or raise AI_ADMIN_TURNS_AT_ONCE"
    if waited > QUEUE_FAILS:
        return failed(name, detail, advice)
    return warn(name, detail, advice) if waited > QUEUE_WARNS else ok(name, detail)


def _crm(slug: str, what: str, lines: Sequence[CheckLine]) -> Row:
    bad = [line for line in lines if line.status is CheckStatus.FAILED]
    odd = [line for line in lines if line.status is CheckStatus.WARNING]
    if not bad and not odd:
        return ok(what, f"{len(lines)} checks, all well")
    told = [f"{line.subject}: {line.detail}" for line in (*bad, *odd)]
    more = f"; and {len(told) - _MOST_LINES} more" if len(told) > _MOST_LINES else ""
    advice = f"`ai-admin crm check {slug}` shows all of it"
    return (failed if bad else warn)(what, "; ".join(told[:_MOST_LINES]) + more, advice)
