"""Who the client is: phones in any writing, and what a proved one allows that a typed one does not."""

from __future__ import annotations

import phonenumbers

from crm.base import Phone
from db.records import Author
from orchestration.turns import Turn


def find_phones(text: str, *, region: str = "RU") -> tuple[Phone, ...]:
    """Return the valid phone numbers in a text as E.164, in order. `region` says how a national number is read."""
    matches = phonenumbers.PhoneNumberMatcher(text, region)
    return tuple(Phone(phonenumbers.format_number(m.number, phonenumbers.PhoneNumberFormat.E164)) for m in matches)


def typed_phone(turn: Turn, wanted: str | None) -> Phone | None:
    """Return the number that the client typed in this dialogue, the last one unless `wanted` names one of them.

    A number that only the model wrote is no number: it must stand in the client's own words.
    """
    words = [message.text for message in turn.history if message.author is Author.CLIENT]
    typed = find_phones("\n".join([*words, turn.client_text]))
    if wanted:
        asked_for = find_phones(wanted)
        typed = tuple(phone for phone in typed if phone in asked_for)
    return typed[-1] if typed else None
