"""A Reply as WhatsApp takes it: reply buttons where three short ones do, a list else, within Meta's lengths and counts
(Meta's pages "Text messages", "Interactive reply buttons messages", "Interactive list messages").

WhatsApp cannot edit what was sent, and lets ten messages a minute through to a person: a reply is as few as it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.pieces import shortened, split_text
from orchestration.messages import Button, Reply

TEXT_LIMIT = 4096
BODY_LIMIT = 1024
BUTTONS, BUTTON_TITLE = 3, 20
ROWS, ROW_TITLE, ROW_DESCRIPTION, LIST_BUTTON = 10, 24, 72, 20
_DEFAULT_LIST_BUTTON = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A button, or a line of a list."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One message. At most one of `buttons`, `rows` and `asks_contact` is set."""

    text: str
    buttons: tuple[Row, ...] = ()
    rows: tuple[Row, ...] = ()
    list_button: str = ""
    asks_contact: bool = False


def draw(reply: Reply) -> list[Piece]:
    """Return the messages that the reply makes, in order; none for a mere acknowledgement, which WhatsApp has not."""
    if not reply.text.strip():
        return []
    # Meta refuses a message in which an id stands twice.
    choices = tuple({choice.action: choice for choice in reversed(reply.choices)}.values())[::-1]
    if reply.ask_contact:
        return _ending_in(reply.text, Piece(text="", asks_contact=True))
    if not choices:
        return [Piece(text=text) for text in split_text(reply.text, TEXT_LIMIT)]
    if len(choices) > ROWS:
        numbered = [f"{number}. {_in_full(choice)}" for number, choice in enumerate(choices, start=1)]
        whole = "\n".join([reply.text, "", *numbered])
        return [Piece(text=text) for text in split_text(whole, TEXT_LIMIT)]
    if _fit_as_buttons(choices):
        buttons = tuple(Row(id=choice.action, title=choice.text) for choice in choices)
        return _ending_in(reply.text, Piece(text="", buttons=buttons))
    rows = tuple(_row(choice) for choice in choices)
    label = shortened(reply.list_label, LIST_BUTTON) or _DEFAULT_LIST_BUTTON
    return _ending_in(reply.text, Piece(text="", rows=rows, list_button=label))


def _ending_in(text: str, last: Piece) -> list[Piece]:
    """Put what does not fit into an interactive message's body before it, as plain text."""
    pieces = [text.strip()]
    if len(pieces[0]) > BODY_LIMIT:
        cut = split_text(text, BODY_LIMIT)
        head = text.strip()[: -len(cut[-1])].rstrip()
        pieces = [*split_text(head, TEXT_LIMIT), cut[-1]]
    ending = Piece(
        text=pieces[-1],
        buttons=last.buttons,
        rows=last.rows,
        list_button=last.list_button,
        asks_contact=last.asks_contact,
    )
    return [*(Piece(text=one) for one in pieces[:-1]), ending]


def _fit_as_buttons(choices: Sequence[Button]) -> bool:
    titles = {choice.text for choice in choices}
    fitting = all(len(choice.text) <= BUTTON_TITLE and not choice.detail for choice in choices)
    return len(choices) <= BUTTONS and fitting and len(titles) == len(choices)


def _row(choice: Button) -> Row:
    """Cut the title at a word; what it loses stands in the description."""
    title = shortened(choice.text, ROW_TITLE)
    description = choice.detail if title == choice.text else _in_full(choice)
    return Row(id=choice.action, title=title, description=shortened(description, ROW_DESCRIPTION))


def _in_full(choice: Button) -> str:
    return f"{choice.text}: {choice.detail}" if choice.detail else choice.text
