"""Asking to be told: who found no fitting time says what they wait for, and agrees to be written to about it."""

from __future__ import annotations

from crm.base import Capability
from db.outreach_records import WaitingEntry
from locales import Translator
from orchestration.conversation import WaitingWish
from orchestration.messages import Button, Reply
from orchestration.privacy_notice import Notice, operator_of
from orchestration.scope import CompanyScope
from orchestration.turns import Turn

WAIT = "wait"
"""`wait:<verb>:<id>`: the waiting list, and a time that is offered to one who waits."""
YES, NO, TAKE, PASS, NEXT, LEAVE = "yes", "no", "take", "pass", "next", "leave"
_BOOKS = (Capability.SLOTS, Capability.CREATE)


def has_waiting_list(scope: CompanyScope) -> bool:
    """Say whether the company's clients may ask to be told of a time that becomes free."""
    return scope.agent.outreach.waiting_list and scope.can(*_BOOKS)


def may_wait(turn: Turn) -> bool:
    """Say the same of this client: who is on the telephone cannot be told of anything later."""
    return turn.call is None and has_waiting_list(turn.scope)


def ask_to_wait(turn: Turn, wish: WaitingWish) -> None:
    """Put the wish before the client with the words that they agree to. Only the yes under exactly these counts."""
    turn.conversation = turn.conversation.model_copy(update={"waits": wish, "step": None})
    words = waiting_words(turn)
    text = turn.texts.text("waiting-ask", wish=wish_text(turn.texts, wish), consent=words.text)
    row = (
        Button(text=turn.texts.text("waiting-yes"), action=f"{WAIT}:{YES}:{wish.id}"),
        Button(text=turn.texts.text("button-no"), action=f"{WAIT}:{NO}:{wish.id}"),
    )
    turn.replies.append(Reply(text=text, buttons=(row,)))
    turn.outcome = "asked_to_wait"


def waiting_words(turn: Turn) -> Notice:
    """Return what a client of the waiting list agrees to, word for word."""
    return Notice(text=turn.texts.text("waiting-consent", company=operator_of(turn.scope.company, turn.scope.agent)))


def wish_text(texts: Translator, wish: WaitingWish | WaitingEntry) -> str:
    """Say what is waited for: service, master, days, times."""
    first, last = texts.day(wish.first_day), texts.day(wish.last_day)
    days = first if wish.first_day == wish.last_day else texts.text("waiting-days", first=first, last=last)
    parts = (
        ", ".join(wish.service_names),
        wish.staff_name if wish.staff_id else "",
        days,
        texts.text("waiting-from", time=texts.time(wish.earliest)) if wish.earliest else "",
        texts.text("waiting-until", time=texts.time(wish.latest)) if wish.latest else "",
    )
    return ", ".join(part for part in parts if part)
