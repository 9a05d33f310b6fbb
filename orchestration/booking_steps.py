"""The steps of the booking by buttons: what each offers, and what a choice changes. Everything is read from the CRM."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from crm.base import Capability, Prepayment, Slot, Staff, StaffId
from db.catalogue import Booking
from db.records import Branch, BranchId, new_id
from orchestration.catalogue import OfferedService, find_services, list_offered_services
from orchestration.conversation import Ask, Flow, WaitingWish
from orchestration.menu import FLOW
from orchestration.messages import Button
from orchestration.offers import free_slots, remember
from orchestration.ports import ClaimedTimes
from orchestration.turns import Turn
from orchestration.waiting_list import may_wait
from orchestration.wording import price_text

_MOST_DAYS = 14
"""Asked of the CRM for one page."""
_FURTHEST = timedelta(days=180)
_ANYONE = "anyone"
_NAVIGATION = 4
"""Rows that the ways to other pages, back and out may take."""
ANSWERED_IN_WORDS = frozenset({Ask.ANSWERS, Ask.NAME})
_LONGEST_ANSWER = 500


class Gone(Exception):
    """What the button stood for is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a step asks and offers. `only`: the one choice there is, so that nothing has to be asked."""

    question: str
    rows: Sequence[tuple[Button, ...]] = ()
    only: str | None = None
    has_sooner: bool = False
    has_later: bool = False
    waits: str | None = None
    """The days of which the client may ask to be told; None: there is nothing to wait for here."""


class Step(Protocol):
    """One question. Both methods may raise CRMError."""

    async def options(self, turn: Turn, flow: Flow) -> Options | None:
        """Return what is asked; None: this step has nothing to ask here."""

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        """Return the flow with the choice in it. Raises Gone."""


class BranchStep:
    async def options(self, turn: Turn, flow: Flow) -> Options:
        branches = turn.scope.branches
        buttons = [
            _button(flow, Ask.BRANCH, _digest(str(branch.id)), branch.name, branch.address or "") for branch in branches
        ]
        only = _digest(str(branches[0].id)) if len(branches) == 1 else None
        return _paged(turn, flow, turn.texts.text("flow-branch"), buttons, only=only)

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        for branch in turn.scope.branches:
            if _digest(str(branch.id)) == argument:
                return flow.model_copy(update={"branch_id": branch.id})
        raise Gone


class ServiceStep:
    """Only what can be booked here and now: what a person or a link books is told in words."""

    async def options(self, turn: Turn, flow: Flow) -> Options:
        services = await _bookable(turn, flow)
        if not services:
            return Options(question=turn.texts.text("flow-no-services"))
        buttons = [
            _button(flow, Ask.SERVICE, _digest(service.id), service.name, _terms(turn, service)) for service in services
        ]
        return _paged(turn, flow, turn.texts.text("flow-service"), buttons)

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        for service in await _bookable(turn, flow):
            if _digest(service.id) == argument:
                update = {"service_ids": (service.id,), "service_names": (service.name,), "comment": ""}
                return flow.model_copy(update=update)
        raise Gone


class StaffStep:
    async def options(self, turn: Turn, flow: Flow) -> Options | None:
        crm = turn.scope.crm(_branch(turn, flow).id)
        if Capability.STAFF_CHOICE not in crm.capabilities:
            return None
        staff = await self._masters(turn, flow)
        anyone = _button(flow, Ask.STAFF, _ANYONE, turn.texts.text("flow-anyone"))
        buttons = [_button(flow, Ask.STAFF, _digest(one.id), one.name, one.specialization or "") for one in staff]
        only = _digest(staff[0].id) if len(staff) == 1 else None
        return _paged(turn, flow, turn.texts.text("flow-staff"), [anyone, *buttons], only=only)

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        if argument == _ANYONE:
            return flow.model_copy(update={"staff_id": None, "staff_name": turn.texts.text("flow-anyone")})
        for one in await self._masters(turn, flow):
            if _digest(one.id) == argument:
                return flow.model_copy(update={"staff_id": one.id, "staff_name": one.name})
        raise Gone

    async def _masters(self, turn: Turn, flow: Flow) -> Sequence[Staff]:
        services = await _chosen(turn, flow)
        return await turn.scope.crm(_branch(turn, flow).id).get_staff([service.id for service in services])


class DayStep:
    """Days that have free time; a page looks at as many days as it has room for, at most a fortnight."""

    def __init__(self, claimed: ClaimedTimes) -> None:
        self._claimed = claimed

    async def options(self, turn: Turn, flow: Flow) -> Options:
        branch = _branch(turn, flow)
        days_a_page = min(_MOST_DAYS, turn.choices.most - _NAVIGATION)
        today = turn.local(turn.now, branch).date()
        first = today + timedelta(days=days_a_page * flow.page)
        last = first + timedelta(days=days_a_page - 1)
        slots = await _free(turn, flow, self._claimed, first=first, last=last)
        days = sorted({turn.local(slot.starts_at, branch).date() for slot in slots})
        buttons = [_button(flow, Ask.DAY, f"{day:%Y%m%d}", turn.texts.short_day(day)) for day in days]
        return Options(
            question=turn.texts.text("flow-day" if days else "flow-no-days"),
            rows=_in_rows(buttons, 2),
            has_sooner=flow.page > 0,
            has_later=last - today < _FURTHEST,
            waits=None if days else _waited_for(turn, flow, first, last),
        )

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        if not re.fullmatch(r"\d{8}", argument):
            raise Gone
        try:
            day = date(int(argument[:4]), int(argument[4:6]), int(argument[6:]))
        except ValueError as error:
            raise Gone from error
        if day < turn.local(turn.now, _branch(turn, flow)).date():
            raise Gone
        return flow.model_copy(update={"day": day})


class TimeStep:
    """Free times of the day. What is shown becomes an offer of this dialogue; only such ones can be booked."""

    def __init__(self, claimed: ClaimedTimes) -> None:
        self._claimed = claimed

    async def options(self, turn: Turn, flow: Flow) -> Options:
        branch, day = _branch(turn, flow), _day(flow)
        slots = await _free(turn, flow, self._claimed, first=day, last=day)
        if flow.staff_id is None:
            # Anyone will do: one button for a time, with the first master who is free then.
            slots = list({slot.starts_at: slot for slot in reversed(slots)}.values())[::-1]
        waits = _waited_for(turn, flow, day, day)
        most = turn.choices.most - _NAVIGATION - (waits is not None)
        page = slots[flow.page * most : (flow.page + 1) * most]
        if not page:
            return Options(question=turn.texts.text("flow-no-times"), has_sooner=flow.page > 0, waits=waits)
        offers = remember(turn, branch, await _chosen(turn, flow), [(slot,) for slot in page])
        buttons = [
            _button(
                flow,
                Ask.TIME,
                offer.id,
                turn.texts.time(turn.local(offer.starts_at, branch).time()),
                offer.staff_name if flow.staff_id is None else "",
            )
            for offer in offers
        ]
        return Options(
            question=turn.texts.text("flow-time"),
            rows=_in_rows(buttons, 2 if flow.staff_id is None else 4),
            has_sooner=flow.page > 0,
            has_later=len(slots) > (flow.page + 1) * most,
            waits=waits,
        )

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        offer = turn.conversation.find_offer(argument, turn.now)
        if offer is None or offer.service_ids != flow.service_ids:
            raise Gone
        return flow.model_copy(update={"offer": offer})


class AnswersStep:
    async def options(self, turn: Turn, flow: Flow) -> Options | None:
        questions = [question for service in await _chosen(turn, flow) for question in service.ask_before]
        if not questions or flow.comment:
            return None
        return Options(question="\n".join([turn.texts.text("tool-answers-needed"), *questions]))

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        raise Gone


class NameStep:
    async def options(self, turn: Turn, flow: Flow) -> Options | None:
        return None if turn.dialogue.client_name else Options(question=turn.texts.text("ask-name"))

    async def choose(self, turn: Turn, flow: Flow, argument: str) -> Flow:
        raise Gone


def steps(claimed: ClaimedTimes) -> Mapping[Ask, Step]:
    """Return the table of steps."""
    return {
        Ask.BRANCH: BranchStep(),
        Ask.SERVICE: ServiceStep(),
        Ask.STAFF: StaffStep(),
        Ask.DAY: DayStep(claimed),
        Ask.TIME: TimeStep(claimed),
        Ask.ANSWERS: AnswersStep(),
        Ask.NAME: NameStep(),
    }


def read_answer(asks: Ask, words: str) -> str | None:
    """Return the client's words as the answer to an open question; None where they do not look like one."""
    text = " ".join(words.split())
    if asks is Ask.ANSWERS:
        return text[:_LONGEST_ANSWER] if text and not text.endswith("?") else None
    # A name is a few words without figures; a question is the agent's to answer.
    is_name = re.fullmatch(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,3}", text) is not None and len(text) <= 60
    return text if is_name else None


def read_wish(turn: Turn, flow: Flow, days: str) -> WaitingWish | None:
    """Return what the client waits for, in the days that a button names; None where there is nothing to wait for."""
    found = re.fullmatch(r"(\d{8})-(\d{8})", days)
    if found is None or flow.branch_id is None or flow.moves is not None or not may_wait(turn):
        return None
    try:
        first, last = (datetime.strptime(day, "%Y%m%d").date() for day in found.groups())  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        return None
    return WaitingWish(
        id=new_id(),
        branch_id=flow.branch_id,
        service_ids=flow.service_ids,
        service_names=flow.service_names,
        staff_id=flow.staff_id,
        staff_name=flow.staff_name if flow.staff_id else "",
        first_day=first,
        last_day=last,
    )


def _waited_for(turn: Turn, flow: Flow, first: date, last: date) -> str | None:
    """Return these days as the button that asks to be told of them names them."""
    return None if flow.moves is not None or not may_wait(turn) else f"{first:%Y%m%d}-{last:%Y%m%d}"


def _paged(turn: Turn, flow: Flow, question: str, buttons: Sequence[Button], *, only: str | None = None) -> Options:
    most = turn.choices.most - _NAVIGATION
    page = min(flow.page, (len(buttons) - 1) // most)
    shown = buttons[page * most : (page + 1) * most]
    return Options(
        question=question,
        rows=_in_rows(shown, 1),
        only=only,
        has_sooner=page > 0,
        has_later=len(buttons) > (page + 1) * most,
    )


def _in_rows(buttons: Sequence[Button], across: int) -> list[tuple[Button, ...]]:
    return [tuple(buttons[start : start + across]) for start in range(0, len(buttons), across)]


def _button(flow: Flow, ask: Ask, argument: str, text: str, detail: str = "") -> Button:
    return Button(text=text, action=f"{FLOW}:{flow.id}:{ask}:{argument}", detail=detail)


def _digest(id_: str) -> str:
    """Name a CRM's id in a button: short whatever the CRM's ids are like, and the same each time."""
    return sha256(id_.encode()).hexdigest()[:10]


def _branch(turn: Turn, flow: Flow) -> Branch:
    if flow.branch_id is None:
        raise AssertionError("the branch is asked for first")
    return turn.scope.branch(BranchId(flow.branch_id))


def _day(flow: Flow) -> date:
    if flow.day is None:
        raise AssertionError("the day is asked for before the time")
    return flow.day


async def _bookable(turn: Turn, flow: Flow) -> Sequence[OfferedService]:
    offered = await list_offered_services(turn.scope, _branch(turn, flow))
    return [one for one in offered if one.booking is Booking.AGENT and one.prepayment is not Prepayment.REQUIRED]


async def _chosen(turn: Turn, flow: Flow) -> list[OfferedService]:
    return await find_services(turn.scope, _branch(turn, flow), flow.service_ids)


async def _free(turn: Turn, flow: Flow, claimed: ClaimedTimes, *, first: date, last: date) -> list[Slot]:
    staff_id = StaffId(flow.staff_id) if flow.staff_id else None
    services = await _chosen(turn, flow)
    return await free_slots(turn, _branch(turn, flow), services, claimed, first=first, last=last, staff_id=staff_id)


def _terms(turn: Turn, service: OfferedService) -> str:
    price = price_text(turn.texts, service.terms.price) if service.terms.price else ""
    duration = turn.texts.duration(service.terms.duration) if service.terms.duration else ""
    return ", ".join(part for part in (price, duration) if part)
