"""What a client asks for by a command, by the same words, or by a button that says the same. None needs a model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from locales import Translator, languages
from orchestration.after_visit import stop
from orchestration.booking_flow import BookingFlow
from orchestration.conversation import PROPOSAL_LIFETIME
from orchestration.handover import hand_over
from orchestration.menu import AGENT_AGAIN, ERASE, LANGUAGE, MY, menu_rows
from orchestration.messages import Button, Command, Reply
from orchestration.my_appointments import MyAppointments
from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn

_WORDS = {
    Command.BOOK: "command-words-book",
    Command.MY: "command-words-my",
    Command.PERSON: "command-words-person",
    Command.LANGUAGE: "command-words-language",
    Command.HELP: "command-words-help",
    Command.STOP: "command-words-stop",
    Command.DELETE_ME: "command-words-delete",
}
_LONGEST_SOURCE = 64


class Commands:
    """One method a command."""

    def __init__(self, flow: BookingFlow, mine: MyAppointments) -> None:
        self._flow = flow
        self._mine = mine
        self._commands: Mapping[Command, Callable[[Turn, str], Awaitable[None]]] = {
            Command.START: self._on_start,
            Command.BOOK: self._on_book,
            Command.MY: self._on_my,
            Command.PERSON: self._on_person,
            Command.LANGUAGE: self._on_language,
            Command.HELP: self._on_help,
            Command.STOP: self._on_stop,
            Command.DELETE_ME: self._on_delete_me,
        }

    async def run(self, turn: Turn, command: Command, argument: str | None = None) -> None:
        """Carry a command out."""
        await self._commands[command](turn, (argument or "").strip())

    def find(self, turn: Turn) -> Command | None:
        """Return the command that the client's words name, where they are nothing but its name."""
        named = (command for command, key in _WORDS.items() if turn.texts.is_one_of(key, turn.client_text))
        command = next(named, None)
        # Before an open question "stop" is said to that question.
        return None if command is Command.STOP and _is_being_asked(turn) else command

    async def press(self, turn: Turn, what: str) -> None:
        """Do what a menu's button says."""
        if what == AGENT_AGAIN.partition(":")[2]:
            # The assistant answers already.
            turn.replies.append(Reply(text=turn.texts.text("agent-again"), buttons=menu_rows(turn)))
            return
        await (self._on_my if what == MY else self._on_book)(turn, "")

    def choose_language(self, turn: Turn, code: str) -> None:
        """Speak this language from now on, whatever the client writes in."""
        if code not in languages():
            turn.say(turn.texts.text("stale-button"))
            turn.outcome = "stale_button"
            return
        turn.dialogue = replace(turn.dialogue, language=code, language_chosen=True)
        turn.texts = Translator.for_language(code, spoken=turn.call is not None)
        turn.replies.append(Reply(text=turn.texts.text("language-chosen"), buttons=menu_rows(turn)))
        turn.outcome = "language_chosen"

    def erase(self, turn: Turn, answer: str) -> None:
        """Erase what is kept of the client, after their yes to exactly that."""
        if answer != "yes":
            turn.say(turn.texts.text("delete-me-kept"))
            return
        notice = turn.staff_texts.text("staff-delete-me", client=client_label(turn))
        turn.notices.append(StaffNotice(text=notice))
        turn.say(turn.texts.text("delete-me-done"))
        turn.erase()

    async def _on_start(self, turn: Turn, argument: str) -> None:
        turn.conversation = turn.conversation.at_rest()
        source = turn.dialogue.source or argument[:_LONGEST_SOURCE] or None
        turn.dialogue = replace(turn.dialogue, greeted_at=turn.now, source=source)
        turn.replies.append(Reply(text=greeting(turn), buttons=menu_rows(turn)))

    async def _on_book(self, turn: Turn, argument: str) -> None:
        await self._flow.begin(turn)

    async def _on_my(self, turn: Turn, argument: str) -> None:
        await self._mine.show(turn)

    async def _on_person(self, turn: Turn, argument: str) -> None:
        hand_over(turn, "asked_for", turn.client_text or "/person")

    async def _on_language(self, turn: Turn, argument: str) -> None:
        if argument.lower() in languages():
            self.choose_language(turn, argument.lower())
            return
        row = tuple(
            Button(text=Translator.for_language(code).text("language-name"), action=f"{LANGUAGE}:{code}")
            for code in sorted(languages(), reverse=True)
        )
        turn.replies.append(Reply(text=turn.texts.text("language-ask"), buttons=(row,)))

    async def _on_help(self, turn: Turn, argument: str) -> None:
        text = turn.texts.text("help", company=turn.scope.company.name)
        turn.replies.append(Reply(text=text, buttons=menu_rows(turn)))

    async def _on_stop(self, turn: Turn, argument: str) -> None:
        stop(turn)

    async def _on_delete_me(self, turn: Turn, argument: str) -> None:
        row = (
            Button(text=turn.texts.text("delete-me-yes"), action=f"{ERASE}:yes"),
            Button(text=turn.texts.text("button-no"), action=f"{ERASE}:no"),
        )
        turn.replies.append(Reply(text=turn.texts.text("delete-me-ask"), buttons=(row,)))


def _is_being_asked(turn: Turn) -> bool:
    proposal = turn.conversation.proposal
    return proposal is not None and turn.now - proposal.shown_at < PROPOSAL_LIFETIME


def greeting(turn: Turn) -> str:
    """Say who answers: a digital assistant."""
    return turn.texts.text("greeting", company=turn.scope.company.name)
