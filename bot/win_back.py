"""Inviting a client again who agreed to it, so many weeks after the last visit: once for each visit that stays last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.outreach_figures import OUTREACH
from bot.recipients import Addressee, Recipients
from crm.base import Appointment, Capability, Phone
from crm.errors import CRMError, CRMNotConfigured
from crm.purpose import Purpose, acting
from db.engine import Database, Transaction
from db.outreach_log import OutreachLog
from db.outreach_records import ConsentKind, MessageKind
from db.records import Branch, Channel, Claim
from db.visits import Visits
from db.work import Work
from orchestration.care_rules import invited_at, visit_key
from orchestration.outreach_rules import agrees, may_write
from orchestration.outreach_texts import invitation_message
from orchestration.scope import CompanyScope
from orchestration.turns import TurnPostponed

log = structlog.get_logger()

LOOK_AGAIN = timedelta(days=7)
"""Who agreed and is not due is looked at again so much later: the owner may have changed the weeks."""
AGAIN_AFTER_FAILURE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """The last visit of a client, as we or the CRM know it; `ahead`: when one that is still to come is over."""

    key: str
    ended_at: datetime
    service_names: tuple[str, ...]
    branch: Branch
    ahead: datetime | None = None


class Invitations:
    def __init__(self, database: Database, work: Work, recipients: Recipients) -> None:
        self._database = database
        self._work = work
        self._recipients = recipients
        self._visits = Visits()
        self._log = OutreachLog()

    async def look(
        self, claim: Claim, scope: CompanyScope, channels: Sequence[Channel], now: datetime
    ) -> datetime | None:
        """Invite the client of a dialogue where it is time; return when to look again, None where they never agreed.

        Raises TurnPostponed where the CRM fails.
        """
        home = scope.branches[0]
        async with self._database.company(claim.company_id) as tx:
            found = await self._recipients.find(
                tx, claim.dialogue_id, MessageKind.WIN_BACK, scope, home, channels, now=now
            )
            if found is None or not _agrees(found):
                return None
            last = await self._last(tx, scope, found, now)
        if scope.agent.outreach.win_back_weeks is None or last is None:
            return now + LOOK_AGAIN
        last = await self._as_the_crm_has_it(scope, found, last, now)
        at = invited_at(last.ended_at, last.service_names, scope.agent.outreach, now=now)
        if last.ahead is not None or at is None:
            return (last.ahead or now) + LOOK_AGAIN
        if at > now:
            return min(at, now + LOOK_AGAIN)
        return await self._invite(claim, scope, channels, last, now)

    async def _last(self, tx: Transaction, scope: CompanyScope, found: Addressee, now: datetime) -> _Last | None:
        """Return the last visit that we know of."""
        booked = await self._visits.find_last(tx, found.ids, before=now)
        branch = next((one for one in scope.branches if booked is not None and one.id == booked.branch_id), None)
        if booked is None or branch is None:
            return None
        ahead = await self._visits.list_from(tx, found.ids, since=now)
        return _Last(
            key=visit_key(booked),
            ended_at=booked.starts_at + booked.duration,
            service_names=booked.service_names,
            branch=branch,
            ahead=max((one.starts_at + one.duration for one in ahead), default=None),
        )

    async def _as_the_crm_has_it(self, scope: CompanyScope, found: Addressee, last: _Last, now: datetime) -> _Last:
        """Look in the CRM for what was booked there since: by telephone, at the desk. Raises TurnPostponed."""
        phone = found.dialogue.proved_phone
        if phone is None or not scope.can(Capability.LIST):
            return last
        since = last.ended_at.astimezone(ZoneInfo(last.branch.time_zone)).date()
        listed: list[Appointment] = []
        try:
            with acting(Purpose.REFRESH):
                for branch in scope.branches:
                    listed += await scope.crm(branch.id).list_appointments(Phone(phone), first=since)
        except CRMNotConfigured:
            return last
        except CRMError as error:
            log.warning("visits_not_read", code=error.code, error=str(error))
            raise TurnPostponed(AGAIN_AFTER_FAILURE, f"the CRM: {error.code}") from error
        standing = [one for one in listed if not one.cancelled and not one.missed]
        ahead = max((one.starts_at + one.duration for one in standing if one.starts_at > now), default=None)
        past = max((one for one in standing if one.starts_at <= now), key=lambda one: one.starts_at, default=None)
        if past is not None and past.starts_at + past.duration > last.ended_at:
            services = tuple(one.title for one in past.services if one.title)
            ended_at = past.starts_at + past.duration
            last = _Last(key=past.external_id or past.id, ended_at=ended_at, service_names=services, branch=last.branch)
        return (
            last
            if ahead is None
            else _Last(
                key=last.key, ended_at=last.ended_at, service_names=last.service_names, branch=last.branch, ahead=ahead
            )
        )

    async def _invite(
        self, claim: Claim, scope: CompanyScope, channels: Sequence[Channel], last: _Last, now: datetime
    ) -> datetime:
        """Decide and write with one commit; return when to look again."""
        async with self._database.company(claim.company_id) as tx:
            await self._work.hold(tx, claim)
            await self._log.take_turns(tx)
            found = await self._recipients.find(
                tx, claim.dialogue_id, MessageKind.WIN_BACK, scope, last.branch, channels, now=now
            )
            if found is None:
                return now + LOOK_AGAIN
            quiet = scope.agent.quiet_hours
            verdict = may_write(MessageKind.WIN_BACK, found.recipient, requested=False, quiet=quiet, now=now)
            outcome = "sent"
            if verdict.why is not None:
                outcome = verdict.why.value
            else:
                message = invitation_message(
                    scope, found.dialogue, since=now - last.ended_at, service_names=last.service_names
                )
                kind, dialogue = MessageKind.WIN_BACK, found.dialogue
                if not await self._recipients.write(tx, dialogue, kind, last.key, message, requested=False, now=now):
                    outcome = "invited_before"
        OUTREACH.labels(MessageKind.WIN_BACK.value, outcome).inc()
        return verdict.until if verdict.until is not None else now + LOOK_AGAIN


def _agrees(found: Addressee) -> bool:
    return agrees(found.recipient.consents, ConsentKind.WIN_BACK, found.recipient.channel)
