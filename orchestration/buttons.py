"""A pressed button on its way: to a proposal's answer, the booking, visits, reminders, what went out unasked, the menu.

Words that are nothing but a button's label, or its number where the channel draws no buttons, press it too.
"""

from __future__ import annotations

from locales.ear import read_ordinal
from orchestration.booking_flow import BookingFlow
from orchestration.commands import Commands
from orchestration.confirmation import Confirmation
from orchestration.conversation import Choice
from orchestration.menu import ERASE, FLOW, LANGUAGE, MENU, MINE, REMIND, SICK, menu_rows
from orchestration.messages import Message, Reply
from orchestration.my_appointments import MyAppointments
from orchestration.outreach_buttons import VERBS, OutreachButtons
from orchestration.proposals import NO, SLOT, YES, Proposals
from orchestration.reminded import Reminded
from orchestration.sick_choices import SickChoices
from orchestration.turns import Turn

_PAGES = (FLOW, MINE)
"""Buttons whose answer takes the place of the message that they stand under."""


class Buttons:
    """Routes presses; knows no step of what they lead to."""

    def __init__(
        self,
        confirmation: Confirmation,
        proposals: Proposals,
        flow: BookingFlow,
        mine: MyAppointments,
        commands: Commands,
        sick: SickChoices,
        outreach: OutreachButtons,
        reminded: Reminded,
    ) -> None:
        self._confirmation = confirmation
        self._proposals = proposals
        self._flow = flow
        self._mine = mine
        self._commands = commands
        self._sick = sick
        self._outreach = outreach
        self._reminded = reminded

    async def press(self, turn: Turn, action: str) -> None:
        """Act on a press. What is no longer possible is said kindly, with what is."""
        verb, _, rest = action.partition(":")
        match verb:
            case _ if verb == SLOT:
                await self._on_slot(turn, rest)
            case _ if verb == FLOW:
                flow_id, _, way = rest.partition(":")
                step, _, argument = way.partition(":")
                await self._flow.press(turn, flow_id, step, argument)
            case _ if verb == MINE:
                what, _, appointment_id = rest.partition(":")
                await self._mine.press(turn, what, appointment_id)
            case _ if verb == SICK:
                way, _, mark = rest.partition(":")
                await self._sick.press(turn, way, mark)
            case _ if verb == REMIND:
                await self._reminded.press(turn, rest)
            case _ if verb == MENU:
                await self._commands.press(turn, rest)
            case _ if verb in VERBS:
                await self._outreach.press(turn, verb, rest)
            case _ if verb == LANGUAGE:
                self._commands.choose_language(turn, rest)
            case _ if verb == ERASE and _stands(turn, action):
                self._commands.erase(turn, rest)
            case _:
                if not await self._confirmation.answer(turn):
                    _stale(turn)

    async def read(self, turn: Turn) -> bool:
        """Take words that are nothing but a button's label, or a command's name, as that; say whether they were."""
        action = _named_action(turn, turn.messages[0]) if len(turn.messages) == 1 else None
        if action is not None:
            turn.press(action)
            await self.press(turn, action)
            return True
        command = self._commands.find(turn)
        if command is not None:
            await self._commands.run(turn, command)
        return command is not None

    async def hear(self, turn: Turn) -> bool:
        """Take words as the answer to an open question, of a visit or of the booking; say whether they were one."""
        return await self._outreach.hear(turn) or await self._flow.hear(turn)

    async def hear_reminded(self, turn: Turn) -> bool:
        """Take words as the answer to a reminder, where nothing was said since; say whether they were one."""
        return await self._reminded.hear(turn)

    async def _on_slot(self, turn: Turn, offer_id: str) -> None:
        offer = turn.conversation.find_offer(offer_id, turn.now)
        wish = turn.conversation.wish
        if offer is None or wish is None:
            _stale(turn)
            return
        await self._proposals.propose_booking(turn, wish.model_copy(update={"offer": offer}))


def _named_action(turn: Turn, message: Message) -> str | None:
    """Return the button that the client's words name; None where they name none."""
    words = " ".join(message.text.split()).casefold()
    choices = turn.conversation.choices
    if not turn.choices.drawn and words.isdecimal() and 0 < int(words) <= len(choices):
        return choices[int(words) - 1].action
    if turn.call is not None and (place := read_ordinal(words, turn.texts.language)):
        # Of what is offered; "the second one" is no answer to a question of yes or no.
        options = [one.action for one in choices if one.action.partition(":")[0] not in (YES, NO)]
        return options[place - 1] if place <= len(options) else None
    return next((choice.action for choice in choices if choice.label.casefold() == words), None)


def keep_choices(turn: Turn) -> None:
    """Remember the buttons that the client sees now, and give each list of them its label."""
    if turn.call is not None and any(reply.text for reply in turn.replies):
        # Nothing stays in sight: what was offered earlier is gone with the next words.
        turn.conversation = turn.conversation.model_copy(update={"choices": ()})
    for index, reply in enumerate(turn.replies):
        if reply.buttons:
            turn.replies[index] = reply.model_copy(update={"list_label": turn.texts.text("button-choose")})
            shown = tuple(Choice(label=button.text, action=button.action) for button in reply.choices)
            turn.conversation = turn.conversation.model_copy(update={"choices": shown})


def acknowledge(turn: Turn) -> None:
    """Tie the answer to the pressed button, so that the channel can end its spinner and use the buttons up."""
    message = turn.messages[0]
    if message.action is None or message.press_id is None:
        return
    first = turn.replies[0] if turn.replies else Reply()
    pressed = message.pressed_message_id
    turns_page = first.in_place and message.action.partition(":")[0] in _PAGES
    turn.replies[:1] = [
        first.model_copy(
            update={
                "acknowledges": message.press_id,
                "replaces": pressed if turns_page else None,
                "closes_buttons_of": None if turns_page else pressed,
            }
        )
    ]


def _stands(turn: Turn, action: str) -> bool:
    return any(choice.action == action for choice in turn.conversation.choices)


def _stale(turn: Turn) -> None:
    turn.replies.append(Reply(text=turn.texts.text("stale-button"), buttons=menu_rows(turn)))
    turn.outcome = "stale_button"
