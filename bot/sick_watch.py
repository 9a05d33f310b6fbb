"""Follows a master's day that cannot be held: its list in the staff chat says how it stands, until all is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from crm.base import Appointment
from crm.purpose import Purpose, acting
from db.engine import Database, Transaction
from db.outbox import Outbox
from db.records import Author, Branch, Claim, DialogueId
from db.sick_days import SickCause, SickDay, SickDays, SickState, digest_of
from db.work import Work
from locales import Translator
from orchestration.crm_day import CrmDay, read_crm_day
from orchestration.identity import mask_phone
from orchestration.messages import Button, Reply
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.sick_day import OPEN, VisitNow, list_text, standing_of
from orchestration.staff_press import About, StaffPress

log = structlog.get_logger()

APPROVE, DROP, PHONES = "yes", "no", "phones"
_LOOK_EVERY, _AGAIN = timedelta(minutes=1), timedelta(minutes=5)
_LIVELY, _LATER_EVERY = timedelta(hours=1), timedelta(minutes=5)
"""Clients answer within the first hour, if they do; each look asks the CRM too, which others want to ask as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SickStores:
    database: Database
    work: Work
    outbox: Outbox


class SickJob:
    def __init__(self, stores: SickStores, scopes: CompanyScopes, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._clock = clock
        self._sick = SickDays()

    async def __call__(self, claim: Claim) -> None:
        """Bring a list up to date where it has changed, and say when to look again. Raises LeaseLost."""
        scope, now = await self._scopes.open(claim.company_id), self._clock()
        crm = await self._read_crm(claim, scope, now)
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            sick = await self._sick.find(tx, claim.subject_id)
            due = None
            branch = branch_of(scope, sick)
            if sick is not None and branch is not None and sick.state is SickState.APPROVED:
                visits = await visits_now(tx, self._sick, sick, now=now)
                await self._show(tx, scope, branch, sick, text_of(scope, branch, sick, visits, crm, now=now))
                over = now >= bounds_of(sick.day, branch)[1]
                if not over and (any(one.standing in OPEN for one in visits) or others_of(sick, visits, crm, now=now)):
                    due = now + (_LOOK_EVERY if now - (sick.decided_at or now) < _LIVELY else _LATER_EVERY)
            await self._stores.work.done(tx, claim, next_due_at=due)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason."""

    async def give_up(self, claim: Claim) -> None:
        """Look again later: clients wait for what becomes of it."""
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=self._clock() + _AGAIN)

    async def _read_crm(self, claim: Claim, scope: CompanyScope, now: datetime) -> CrmDay | None:
        """Read the day anew, before the transaction: staff phone who was booked past the agent, and change it there."""
        async with self._stores.database.company(claim.company_id) as tx:
            sick = await self._sick.find(tx, claim.subject_id)
        branch = branch_of(scope, sick)
        if sick is None or branch is None or sick.state is not SickState.APPROVED:
            return None
        if sick.cause is SickCause.CANCELLED or now >= bounds_of(sick.day, branch)[1]:
            return None
        with acting(Purpose.REFRESH):
            return await read_crm_day(scope, branch, sick.day)

    async def _show(self, tx: Transaction, scope: CompanyScope, branch: Branch, sick: SickDay, text: str) -> None:
        """Let the list's message say what is so now; while it is not out, it is left for the next look."""
        message = await self._stores.outbox.find_message_of(tx, sick.id)
        if digest_of(text) == sick.shown or message is None:
            return
        texts = Translator.for_language(scope.agent.language)
        reply = Reply(text=text, replaces=message, buttons=buttons_of(texts, sick))
        payload = reply.model_dump(mode="json", exclude_defaults=True)
        await self._stores.outbox.put(tx, sick.chat, [payload], turn_id=sick.id, author=Author.SYSTEM)
        await self._sick.keep_shown(tx, sick, text)
        log.info("sick_list_changed", sick_id=str(sick.id))


def work_of(sick: SickDay) -> DialogueId:
    """Return what stands for the dialogue in the work of following a list: the list itself, as it is no client's."""
    return DialogueId(sick.id)


def branch_of(scope: CompanyScope, sick: SickDay | None) -> Branch | None:
    return next((one for one in scope.branches if sick is not None and one.id == sick.branch_id), None)


def bounds_of(day: date, branch: Branch) -> tuple[datetime, datetime]:
    """Return when a day begins by the clock on the branch's wall, and when the next one does."""
    zone = ZoneInfo(branch.time_zone)
    return (
        datetime.combine(day, time(), tzinfo=zone),
        datetime.combine(day + timedelta(days=1), time(), tzinfo=zone),
    )


async def visits_now(tx: Transaction, days: SickDays, sick: SickDay, *, now: datetime) -> Sequence[VisitNow]:
    """Return the list's visits, each with how far it is with it."""
    return [
        VisitNow(
            visit=one.visit,
            was_at=one.was_at,
            standing=standing_of(
                one.visit,
                sick.master,
                was_at=one.was_at,
                asked_at=one.asked_at,
                wrote_at=one.wrote_at,
                unreachable=one.unreachable,
                booked_again=one.booked_again,
                off_already=sick.cause is SickCause.CANCELLED,
                approved=sick.state is SickState.APPROVED,
                now=now,
            ),
        )
        for one in await days.list_visits(tx, sick)
    ]


def others_of(sick: SickDay, visits: Sequence[VisitNow], crm: CrmDay | None, *, now: datetime) -> list[Appointment]:
    """Return the master's visits still ahead that the CRM has besides those of the list.

    None for a list of what staff have cancelled one after the other: the rest of that day may well be held.
    """
    if crm is None or sick.cause is SickCause.CANCELLED:
        return []
    return crm.visits_of(sick.master, but={one.visit.crm_record_id for one in visits}, after=now)


def text_of(
    scope: CompanyScope,
    branch: Branch,
    sick: SickDay,
    visits: Sequence[VisitNow],
    crm: CrmDay | None,
    *,
    now: datetime,
) -> str:
    """Say the list as it stands, numbers masked: others read along. `crm` None: the list is not about the whole day."""
    texts = Translator.for_language(scope.agent.language)
    by = (sick.decided_by or "—") if sick.state is SickState.APPROVED else None
    off_already = sick.cause is SickCause.CANCELLED
    place = f" ({branch.name})" if len(scope.branches) > 1 else ""
    return list_text(
        texts,
        branch,
        sick.master,
        sick.day,
        visits,
        mask_phone,
        by=by,
        off_already=off_already,
        place=place,
        others=others_of(sick, visits, crm, now=now),
        untold=crm.untold if crm is not None and not off_already else None,
    )


def buttons_of(texts: Translator, sick: SickDay, *, asks: bool = True) -> tuple[tuple[Button, ...], ...]:
    """Return what staff may do about the list: decide on it, or see whom to phone. `asks`: somebody can be asked."""

    def button(answer: str, key: str) -> Button:
        return StaffPress(About.SICK, answer, (sick.id,)).button(texts.text(key))

    phones = (button(PHONES, "sick-phones"),)
    if sick.state is SickState.PROPOSED and asks:
        return ((button(APPROVE, "sick-approve"), button(DROP, "sick-drop")), phones)
    return (phones,)
