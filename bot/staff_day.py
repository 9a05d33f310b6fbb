"""/today: what the agent did in the branches that somebody may see, and who waits for a person, the longest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.staff_ask import StaffAnswer, StaffAsk
from db.audit import Action, AuditTrail
from db.dialogues import Dialogues
from db.handovers import Handovers
from db.pause import read_paused
from db.records import Branch, DialogueId
from db.staff_day import list_writes
from orchestration.staff_day_text import BranchDay, WaitingClient, day_text
from orchestration.staff_rules import Right, branches_of, may, sees_visit, shown_phone


class StaffDay:
    def __init__(self, handovers: Handovers, dialogues: Dialogues, audit: AuditTrail) -> None:
        self._handovers = handovers
        self._dialogues = dialogues
        self._audit = audit

    async def tell(self, ask: StaffAsk) -> StaffAnswer:
        """Tell the day so far, by each branch's own clock."""
        mine = branches_of(ask.member, ask.scope.branches)
        days = [await self._day(ask, branch) for branch in mine]
        waiting = await self._waiting(ask, mine) if may(ask.member, Right.SEE_WAITING) else None
        paused = await read_paused(ask.tx)
        company = replace(
            ask.scope.company, paused_at=paused[0] if paused else None, paused_by=paused[1] if paused else None
        )
        private = ask.word.private

        def phone(number: str) -> str:
            return shown_phone(ask.member, number, private=private)

        parts = [day_text(ask.texts, company, days, waiting, phone, now=ask.now)]
        seen = _whose_phones(days, waiting or ())
        if seen and may(ask.member, Right.SEE_PHONES):
            if private:
                await self._write_down(ask, seen)
            else:
                parts.append(ask.texts.text("staff-phones-in-private"))
        return StaffAnswer(text="\n\n".join(part for part in parts if part))

    async def _day(self, ask: StaffAsk, branch: Branch) -> BranchDay:
        first, until = day_of(ask.now, branch)
        written = await list_writes(ask.tx, branch.id, first=first, until=until)
        own = [(one.kind, one.visit) for one in written if sees_visit(ask.member, one.visit, ask.scope.branches)]
        return BranchDay(branch=branch, writes=own)

    async def _waiting(self, ask: StaffAsk, mine: Sequence[Branch]) -> Sequence[WaitingClient]:
        """Return who waits, of those whom the staff chats of these branches were shown."""
        chats = _chats_of(mine, ask.scope.branches)
        found = []
        for thread in await self._handovers.list_open(ask.tx):
            shown = thread.staff_chat is None or thread.staff_chat.key.partition(":")[0] in chats
            if thread.client_waits_since is None or not shown:
                continue
            dialogue = await self._dialogues.find_dialogue(ask.tx, thread.dialogue_id)
            if dialogue is not None:
                found.append(WaitingClient(dialogue=dialogue, since=thread.client_waits_since))
        return found

    async def _write_down(self, ask: StaffAsk, seen: Sequence[DialogueId]) -> None:
        told = {str(one): "/today" for one in seen}
        await self._audit.record(
            ask.tx, Action.PHONE_VIEW, subject=f"phones of {len(seen)} clients", after=told, actor=ask.actor
        )


def day_of(now: datetime, branch: Branch) -> tuple[datetime, datetime]:
    """Return when the branch's day began by the clock on its wall, and when the next one does."""
    zone = ZoneInfo(branch.time_zone)
    today = now.astimezone(zone).date()
    return (
        datetime.combine(today, time(), tzinfo=zone),
        datetime.combine(today + timedelta(days=1), time(), tzinfo=zone),
    )


def _whose_phones(days: Sequence[BranchDay], waiting: Sequence[WaitingClient]) -> list[DialogueId]:
    booked = [visit.dialogue_id for day in days for _, visit in day.writes if visit.phone]
    waits = [one.dialogue.id for one in waiting if one.dialogue.proved_phone or one.dialogue.typed_phone]
    return list(dict.fromkeys([*booked, *waits]))


def _chats_of(mine: Sequence[Branch], branches: Sequence[Branch]) -> frozenset[str]:
    """Return the chats in which staff of these branches are rung: their own, else the first that the company has."""
    first = next((branch.staff_chat for branch in branches if branch.staff_chat), None)
    return frozenset(chat for branch in mine if (chat := branch.staff_chat or first) is not None)
