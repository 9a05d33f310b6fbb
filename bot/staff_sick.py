"""/sick: a master's day that cannot be held. A list for staff, one tap of approval, an offer to each client."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.sick_watch import (
    APPROVE,
    PHONES,
    bounds_of,
    branch_of,
    buttons_of,
    others_of,
    text_of,
    visits_now,
    work_of,
)
from bot.staff_ask import StaffAnswer, StaffAsk
from bot.staff_visits import StaffVisits, strange
from crm.base import Appointment
from db.appointments import Appointments
from db.audit import Action, AuditTrail
from db.booking_records import BookedAppointment
from db.clients import Clients
from db.company_rows import read_channels
from db.dialogues import Dialogues
from db.outbox import Outbox
from db.outreach import Outreach, writable
from db.records import Author, Branch, ChannelId, ChannelType, Dialogue, HistoryMessage, WorkKind
from db.sick_days import SickCause, SickDay, SickDays, SickState, SickVisit
from db.work import ring
from handlers.staff_notices import chat_with
from locales import Translator
from orchestration.crm_day import CrmDay, Untold
from orchestration.messages import Reply
from orchestration.sick_day import Standing, masters_named, offer_to_client, read_order, untold_text
from orchestration.staff_day_text import client_text
from orchestration.staff_press import StaffPress
from orchestration.staff_rules import Right, branches_of, may
from orchestration.wording import place_text

WRITTEN = frozenset({ChannelType.TELEGRAM, ChannelType.WHATSAPP})
"""Channels in which a client can be asked and answers by buttons."""


class StaffSick:
    """Each method is one command, or one press."""

    def __init__(self, outbox: Outbox, dialogues: Dialogues, audit: AuditTrail) -> None:
        self._sick = SickDays()
        self._appointments = Appointments()
        self._clients = Clients()
        self._visits_of_staff = StaffVisits(appointments=self._appointments, outreach=Outreach())
        self._dialogues = dialogues
        self._outbox = outbox
        self._audit = audit

    async def propose(self, ask: StaffAsk) -> StaffAnswer:
        """List the visits of a master's day that we know, with the button that asks their clients."""
        mine = branches_of(ask.member, ask.scope.branches)
        today = ask.now.astimezone(ZoneInfo(mine[0].time_zone)).date() if mine else ask.now.date()
        order = read_order(ask.texts, ask.word.argument, today)
        if order is None:
            return StaffAnswer(text=ask.texts.text("sick-usage"))
        name, day = order
        ours = {branch.id: await self._visits(ask, branch, day) for branch in mine}
        told = {branch.id: ask.crm_day(branch, day) for branch in mine}
        masters = masters_named(name, _masters_of(ours.values(), told.values(), ask.now))
        if len(masters) > 1:
            return StaffAnswer(text=ask.texts.text("sick-which", masters=", ".join(masters)))
        if not masters:
            return StaffAnswer(text=_nobody(ask.texts, name, day, told.values()))
        lists = []
        for branch in mine:
            own = [one for one in ours[branch.id] if one.staff_name == masters[0]]
            known = {one.crm_record_id for one in ours[branch.id]}
            others = told[branch.id].visits_of(masters[0], but=known, after=ask.now)
            if own or others:
                lists.append(await self._list(ask, branch, masters[0], day, own, others))
        for one in lists[:-1]:
            # Who works at two branches has a list at each.
            reply = Reply(text=one.text, buttons=one.buttons, topic=ask.word.topic)
            payload = reply.model_dump(mode="json", exclude_defaults=True)
            await self._outbox.put(ask.tx, ask.where, [payload], turn_id=one.turn_id, author=Author.SYSTEM)
        return lists[-1]

    async def _visits(self, ask: StaffAsk, branch: Branch, day: date) -> Sequence[BookedAppointment]:
        first, until = bounds_of(day, branch)
        found = await self._appointments.list_between(ask.tx, [branch.id], first=first, until=until, standing=True)
        return [one for one in found if one.starts_at > ask.now]

    async def _list(
        self,
        ask: StaffAsk,
        branch: Branch,
        master: str,
        day: date,
        visits: Sequence[BookedAppointment],
        others: Sequence[Appointment],
    ) -> StaffAnswer:
        """`others`: what the CRM has besides. Whose number a messenger has proved is asked as if we had booked them."""
        sick = await self._sick.find_standing(ask.tx, branch.id, master, day)
        if sick is None or sick.state is SickState.GATHERING:
            if sick is not None:
                await self._sick.set_state(ask.tx, sick, SickState.DROPPED, now=ask.now)
            sick = await self._sick.create(
                ask.tx,
                branch_id=branch.id,
                master=master,
                day=day,
                cause=SickCause.ASKED,
                state=SickState.PROPOSED,
                chat=ask.where,
                now=ask.now,
            )
        elif sick.state is SickState.APPROVED:
            return StaffAnswer(text=ask.texts.text("sick-approved-already", by=sick.decided_by or "—"))
        adopted = await self._adopt(ask, branch, others)
        await self._sick.add_visits(ask.tx, sick, [*visits, *adopted], now=ask.now)
        standing = await visits_now(ask.tx, self._sick, sick, now=ask.now)
        text = text_of(ask.scope, branch, sick, standing, ask.crm_day(branch, day), now=ask.now)
        return StaffAnswer(text=text, buttons=buttons_of(ask.texts, sick, asks=bool(standing)), turn_id=sick.id)

    async def _adopt(self, ask: StaffAsk, branch: Branch, others: Sequence[Appointment]) -> Sequence[BookedAppointment]:
        """Keep those of the CRM's own visits whose clients we know: they see, move and cancel them here as it is."""
        strangers = strange(others, now=ask.now)
        known = await self._appointments.find_by_records(ask.tx, branch.id, [one.id for one in strangers])
        held = {one.crm_record_id for one in known}
        fresh = [one for one in strangers if one.id not in held]
        channels = writable(await read_channels(ask.tx)) if fresh else []
        reminds = bool(ask.scope.agent.reminders)
        return await self._visits_of_staff.adopt(ask.tx, branch, fresh, channels, now=ask.now, reminds=reminds)

    async def press(self, ask: StaffAsk) -> StaffAnswer:
        """Ask the clients, drop the list, or show the numbers of those who are to be phoned."""
        press = StaffPress.read(ask.word.action or "", ids=1)
        sick = await self._sick.find(ask.tx, press.ids[0]) if press is not None else None
        branch = branch_of(ask.scope, sick)
        if press is None or sick is None or branch is None or branch not in branches_of(ask.member, ask.scope.branches):
            return StaffAnswer(text=ask.texts.text("staff-stale-button"), closes=True)
        if press.answer == PHONES:
            return await self._phones(ask, sick, branch)
        if sick.state is not SickState.PROPOSED:
            return StaffAnswer(text=ask.texts.text("sick-decided-already", by=sick.decided_by or "—"), closes=True)
        if press.answer != APPROVE:
            await self._sick.set_state(ask.tx, sick, SickState.DROPPED, now=ask.now, by=ask.member.name)
            await self._written(ask, Action.SICK_DROP, sick)
            return StaffAnswer(text=ask.texts.text("sick-dropped", by=ask.member.name), closes=True)
        await self._sick.set_state(ask.tx, sick, SickState.APPROVED, now=ask.now, by=ask.member.name)
        asked = await self._ask_clients(ask, sick, branch)
        await ring(
            ask.tx,
            dialogue_id=work_of(sick),
            channel_id=sick.chat.channel_id,
            kind=WorkKind.SICK,
            due_at=ask.now,
            subject_id=sick.id,
        )
        await self._written(ask, Action.SICK_APPROVE, sick, asked=asked)
        return StaffAnswer(text=ask.texts.text("sick-asking", by=ask.member.name, count=asked))

    async def _ask_clients(self, ask: StaffAsk, sick: SickDay, branch: Branch) -> int:
        """Ask each client where they can be written to; return how many."""
        channels = {one.id: one.type for one in await read_channels(ask.tx)}
        asked = 0
        for one in await self._sick.list_visits(ask.tx, sick):
            if one.asked_at is not None or _is_settled(sick, one):
                continue
            client = await self._where(ask, one, channels)
            if client is None:
                continue
            texts = Translator.for_language(client.language, default=ask.scope.agent.language)
            reply = offer_to_client(texts, branch, one.visit, place_text(ask.scope, branch))
            said = HistoryMessage(author=Author.AGENT, text=reply.text, at=ask.now, turn_id=sick.id)
            await self._dialogues.add_messages(ask.tx, client.id, [said])
            payload = reply.model_dump(mode="json", exclude_defaults=True)
            # Staff have approved it: it goes out even where a person answers the client just now.
            await self._outbox.put(ask.tx, client, [payload], turn_id=None, author=Author.SYSTEM)
            await self._sick.mark_asked(ask.tx, sick, one.visit, client.id, now=ask.now)
            asked += 1
        return asked

    async def _where(self, ask: StaffAsk, one: SickVisit, channels: dict[ChannelId, ChannelType]) -> Dialogue | None:
        """Return where the client can be asked: where they booked, else where their proved number is known."""
        booked_in = await self._dialogues.find_dialogue(ask.tx, one.visit.dialogue_id)
        if booked_in is not None and channels.get(booked_in.channel_id) in WRITTEN and booked_in.unreachable_at is None:
            return booked_in
        written = [id_ for id_, type_ in channels.items() if type_ in WRITTEN]
        return await self._clients.find_messenger(ask.tx, one.visit.phone, written) if one.visit.phone else None

    async def _phones(self, ask: StaffAsk, sick: SickDay, branch: Branch) -> StaffAnswer:
        """Send who is to be phoned, with whole numbers, to who asks for it; it is written down."""
        if not may(ask.member, Right.SEE_PHONES):
            return StaffAnswer(text=ask.texts.text("staff-not-allowed"))
        now = await visits_now(ask.tx, self._sick, sick, now=ask.now)
        to_phone = [one for one in now if one.visit.phone and one.standing in (Standing.PHONE, Standing.LISTED)]
        crm = ask.crm_day(branch, sick.day) if sick.cause is SickCause.ASKED else CrmDay()
        others = others_of(sick, now, crm, now=ask.now)
        missing = [untold_text(ask.texts, crm.untold)] if crm.untold is not None else []
        if not to_phone and not others:
            return StaffAnswer(text="\n".join([ask.texts.text("sick-nobody-to-phone"), *missing]))
        told = {str(one.visit.dialogue_id): "/sick" for one in to_phone}
        told |= {f"record {one.id}": "/sick" for one in others if one.phone}
        await self._audit.record(
            ask.tx, Action.PHONE_VIEW, subject=f"phones of {len(told)} clients", after=told, actor=ask.actor
        )
        clients = [(one.was_at, one.visit.client_name, one.visit.phone) for one in to_phone]
        clients += [(one.starts_at, one.client_name, one.phone or "") for one in others]
        clients.sort(key=lambda client: client[0])
        lines = [client_text(ask.texts, name, phone, lambda number: number) for _, name, phone in clients]
        text = "\n".join([*lines, *missing])
        if ask.word.private:
            return StaffAnswer(text=text)
        payload = Reply(text=text).model_dump(mode="json", exclude_defaults=True)
        chat = chat_with(ask.bot, str(ask.word.author))
        await self._outbox.put(ask.tx, chat, [payload], turn_id=None, author=Author.SYSTEM)
        return StaffAnswer(text=ask.texts.text("staff-phone-sent", name=ask.member.name))

    async def _written(self, ask: StaffAsk, action: Action, sick: SickDay, **more: int) -> None:
        told = {"master": sick.master, "day": sick.day.isoformat(), **more}
        await self._audit.record(ask.tx, action, subject=f"sick day {sick.id}", after=told, actor=ask.actor)


def _masters_of(ours: Iterable[Sequence[BookedAppointment]], told: Iterable[CrmDay], now: datetime) -> Iterator[str]:
    """Name whoever has a visit ahead, by our own knowledge or by the CRM's."""
    for booked in ours:
        yield from (one.staff_name for one in booked)
    for day in told:
        yield from (one.staff.name for one in day.visits if one.starts_at > now and one.staff.name)


def _nobody(texts: Translator, name: str, day: date, told: Collection[CrmDay]) -> str:
    """Say that such a master has no visits then, or that none of ours is known and the CRM's are not seen."""
    if all(one.untold is None for one in told):
        return texts.text("sick-free", master=name, day=texts.day(day))
    silent = [texts.text("sick-crm-silent")] if any(one.untold is Untold.SILENT for one in told) else []
    return "\n".join([texts.text("sick-none", master=name, day=texts.day(day)), *silent])


def _is_settled(sick: SickDay, one: SickVisit) -> bool:
    """Say whether there is nothing left to ask: the visit was moved or cancelled, or is made anew."""
    if sick.cause is SickCause.CANCELLED:
        return one.booked_again or not one.visit.cancelled
    return one.visit.cancelled or one.visit.staff_name != sick.master
