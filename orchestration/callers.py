"""What is different where the client phones: who picks up, how a caller proves who they are, what is told after it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from locales import Translator
from locales.ear import read_digits
from orchestration.contacts import Contacts
from orchestration.conversation import SentCode, Step
from orchestration.handover import hand_over
from orchestration.identity import find_phones
from orchestration.messages import CallEvent
from orchestration.ports import Messengers
from orchestration.scope import CompanyScope
from orchestration.trouble import client_label
from orchestration.turns import CallEnd, CallFacts, Elsewhere, StaffNotice, Turn
from orchestration.working_hours import is_open

TRANSFER_TO = "transfer_to"
"""The channel's option: the number that calls are passed on to; without it the first branch's phone."""
CODE_LIFETIME = timedelta(minutes=5)
_DIGITS = 4
_TRIES = 3
_FEWEST_DIGITS = 3


def facts_of(options: Mapping[str, Any], scope: CompanyScope, now: datetime) -> CallFacts:
    """Return what a turn of a call knows: who picks up at this hour."""
    branch = next(iter(scope.branches), None)
    wanted = str(options.get(TRANSFER_TO) or (branch.phone if branch else "") or "")
    number = next(iter(find_phones(wanted)), None)
    return CallFacts(transfer_to=number if is_open(branch, now) else None)


class Callers:
    """Reads what a caller says before anybody else does, and sees to the call's end."""

    def __init__(self, contacts: Contacts, messengers: Messengers) -> None:
        self._contacts = contacts
        self._messengers = messengers

    async def hear(self, turn: Turn) -> bool:
        """Take words that answer what only a call asks for; say whether they did."""
        match turn.conversation.step:
            case Step.TAKING_MESSAGE:
                _take_message(turn)
                return True
            case Step.AWAITING_CODE:
                return await self._take_code(turn)
            case Step.AWAITING_CONTACT if turn.conversation.wish is None:
                return await self._take_number(turn)
        if turn.texts.is_one_of("goodbye-words", turn.client_text):
            turn.say(turn.texts.text("call-goodbye"))
            turn.ends_call = CallEnd(reason="said_goodbye")
            turn.outcome = "said_goodbye"
            return True
        return False

    async def prove(self, turn: Turn) -> None:
        """Ask the caller to prove that the number is theirs: by digits that go to a messenger of its owner.

        A caller's number can be forged. Where none is known it is asked for first; where the number's owner is known in
        no messenger, or was sent too many codes, a person takes over.
        """
        turn.proof_wanted = False
        phone = turn.dialogue.typed_phone
        if phone is None:
            turn.say(turn.texts.text("ask-contact"))
            return
        messenger = await self._messengers.find(turn.dialogue, phone)
        if messenger is None or not await self._messengers.may_send_code(turn.dialogue, phone):
            turn.say(turn.texts.text("call-cannot-prove"))
            hand_over(turn, "unproved_caller", turn.client_text)
            return
        code = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
        written = Translator.for_language(messenger.language, default=turn.scope.agent.language)
        turn.elsewhere.append(Elsewhere(dialogue=messenger, text=written.text("call-code-message", code=code)))
        sent = SentCode(digest=_digest(turn, code), phone=phone, sent_at=turn.now)
        turn.conversation = turn.conversation.model_copy(update={"step": Step.AWAITING_CODE, "code": sent})
        turn.say(turn.texts.text("call-code-sent"))
        turn.outcome = "code_sent"

    async def happen(self, turn: Turn, event: CallEvent) -> None:
        """Act on what happened to the call."""
        if event is CallEvent.UNCLEAR:
            hand_over(turn, "not_understood", "")
        elif event is CallEvent.NOT_REACHED:
            turn.say(turn.texts.text("call-not-reached"))
            turn.conversation = turn.conversation.at_rest().model_copy(update={"step": Step.TAKING_MESSAGE})
            turn.outcome = "not_reached"
        else:
            await self._end(turn, dropped=event is CallEvent.DROPPED)

    async def _end(self, turn: Turn, *, dropped: bool) -> None:
        """Write to the client what was booked, where a messenger of theirs is known; else staff call, if need be."""
        turn.outcome = "call_ended"
        phone = turn.dialogue.proved_phone or turn.dialogue.typed_phone
        receipts = turn.conversation.receipts
        turn.conversation = turn.conversation.at_rest().model_copy(update={"receipts": (), "code": None})
        if not receipts or phone is None:
            return
        messenger = await self._messengers.find(turn.dialogue, phone)
        if messenger is None and dropped:
            text = turn.staff_texts.text("staff-call-dropped", client=client_label(turn))
            turn.notices.append(StaffNotice(text=f"{text}\n\n{receipts[-1]}"))
        elif messenger is not None:
            text = Translator.for_language(messenger.language, default=turn.scope.agent.language).text("call-summary")
            turn.elsewhere.append(Elsewhere(dialogue=messenger, text="\n\n".join((text, *receipts))))

    async def _take_code(self, turn: Turn) -> bool:
        """Take the digits; words without any are answered as ever, and the code still counts."""
        code = turn.conversation.code
        digits = read_digits(turn.client_text, turn.texts.language)
        if code is None or len(digits) < _FEWEST_DIGITS:
            return False
        if turn.now - code.sent_at > CODE_LIFETIME:
            await self.prove(turn)
            return True
        if hmac.compare_digest(code.digest, _digest(turn, digits)):
            turn.dialogue = replace(turn.dialogue, proved_phone=code.phone)
            turn.conversation = turn.conversation.model_copy(update={"step": None, "code": None})
            await self._contacts.take_proved(turn)
            return True
        if code.tries + 1 >= _TRIES:
            turn.conversation = turn.conversation.at_rest().model_copy(update={"code": None})
            turn.say(turn.texts.text("call-code-failed"))
            hand_over(turn, "unproved_caller", turn.client_text)
            return True
        wrong = code.model_copy(update={"tries": code.tries + 1})
        turn.conversation = turn.conversation.model_copy(update={"code": wrong})
        turn.say(turn.texts.text("call-code-wrong"))
        turn.outcome = "code_wrong"
        return True

    async def _take_number(self, turn: Turn) -> bool:
        """Take the number that a caller without one was asked for, and go on with proving it."""
        spoken = read_digits(turn.client_text, turn.texts.language)
        phones = find_phones(turn.client_text) or find_phones(spoken)
        if not phones or turn.dialogue.typed_phone is not None:
            return False
        turn.dialogue = replace(turn.dialogue, typed_phone=phones[-1])
        await self.prove(turn)
        return True


def _take_message(turn: Turn) -> None:
    """Take down what a person is to know."""
    turn.conversation = turn.conversation.at_rest()
    if turn.texts.is_no(turn.client_text):
        turn.say(turn.texts.text("call-no-message"))
        turn.outcome = "no_message"
        return
    text = turn.staff_texts.text("staff-call-message", client=client_label(turn), text=turn.client_text)
    turn.notices.append(StaffNotice(text=text))
    turn.say(turn.texts.text("call-message-taken"))
    turn.outcome = "message_taken"


def _digest(turn: Turn, code: str) -> str:
    return sha256(f"{turn.dialogue.id}:{code}".encode()).hexdigest()
