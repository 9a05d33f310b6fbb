"""What goes out unasked, in the client's words: a time that became free, thanks after a visit, being invited again.
Pure."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.base import Slot
from db.outreach_records import MOST_STARS, MessageKind, Rating, WaitingOffer
from db.records import Branch, Dialogue
from locales import Translator
from orchestration.after_visit import RATE, STOP
from orchestration.menu import BOOK, MENU
from orchestration.messages import Button, Reply, TemplateWords
from orchestration.scope import CompanyScope
from orchestration.waiting_list import LEAVE, PASS, TAKE, WAIT
from orchestration.wording import place_text


def offer_message(scope: CompanyScope, branch: Branch, dialogue: Dialogue, offer: WaitingOffer, slot: Slot) -> Reply:
    """Offer a time first to one who waits for it: first, not for certain, as the CRM still sells it."""
    texts, zone = _texts(scope, dialogue), ZoneInfo(branch.time_zone)
    text = texts.text(
        "waiting-offer",
        when=texts.moment(slot.starts_at.astimezone(zone)),
        service=", ".join(offer.entry.service_names),
        staff=slot.staff.name,
        place=place_text(scope, branch),
        until=texts.time(offer.expires_at.astimezone(zone).time()),
    )
    answers = (
        Button(text=texts.text("waiting-take"), action=f"{WAIT}:{TAKE}:{offer.id}"),
        Button(text=texts.text("waiting-pass"), action=f"{WAIT}:{PASS}:{offer.id}"),
    )
    leave = Button(text=texts.text("waiting-leave"), action=f"{WAIT}:{LEAVE}:{offer.entry.id}")
    return _reply(texts, text, (answers, (leave,)), MessageKind.OFFER)


def thanks_message(scope: CompanyScope, dialogue: Dialogue, rating: Rating) -> Reply:
    """Thank for a visit and ask how it was."""
    texts = _texts(scope, dialogue)
    text = texts.text("visit-thanks", service=", ".join(rating.service_names), company=scope.company.name)
    stars = tuple(
        Button(text=texts.text("rating-stars", stars=number), action=_star_action(rating.id, number))
        for number in range(1, MOST_STARS + 1)
    )
    return _reply(texts, text, (stars, (_stop_button(texts),)), MessageKind.THANKS)


def invitation_message(
    scope: CompanyScope, dialogue: Dialogue, *, since: timedelta, service_names: tuple[str, ...]
) -> Reply:
    """Invite a client again, so long after their last visit."""
    texts = _texts(scope, dialogue)
    text = texts.text(
        "invitation",
        weeks=round(since / timedelta(weeks=1)),
        service=", ".join(service_names),
        company=scope.company.name,
    )
    book = Button(text=texts.text("menu-book"), action=f"{MENU}:{BOOK}")
    return _reply(texts, text, ((book,), (_stop_button(texts),)), MessageKind.WIN_BACK)


def _texts(scope: CompanyScope, dialogue: Dialogue) -> Translator:
    return Translator.for_language(dialogue.language, default=scope.agent.language)


def _reply(texts: Translator, text: str, rows: tuple[tuple[Button, ...], ...], kind: MessageKind) -> Reply:
    """Make the message, with the template that says it where a messenger takes no free words any more."""
    actions = tuple(button.action for row in rows for button in row)
    return Reply(
        text=text,
        buttons=rows,
        list_label=texts.text("button-choose"),
        template=TemplateWords(name=kind.value, words=(text,), actions=actions),
    )


def _stop_button(texts: Translator) -> Button:
    return Button(text=texts.text("outreach-stop"), action=STOP)


def _star_action(rating_id: UUID, stars: int) -> str:
    return f"{RATE}:{rating_id}:{stars}"
