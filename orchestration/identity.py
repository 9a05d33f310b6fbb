"""Who the client is: phones in any writing, and what a proved one allows that a typed one does not."""

from __future__ import annotations

from datetime import datetime

import phonenumbers

from crm.base import Phone
from db.records import Author
from orchestration.client_zone import find_zones
from orchestration.phone_search import REGION, may_hold_phone
from orchestration.turns import Turn

_SHOWN_AT_END = 2


def find_phones(text: str, *, region: str = REGION) -> tuple[Phone, ...]:
    """Return the valid phone numbers in a text as E.164, in order. `region` says how a national number is read."""
    if region == REGION and not may_hold_phone(text):
        return ()
    matches = phonenumbers.PhoneNumberMatcher(text, region)
    return tuple(Phone(phonenumbers.format_number(m.number, phonenumbers.PhoneNumberFormat.E164)) for m in matches)


def mask_phone(phone: str) -> str:
    """Leave of a number what tells it from another in a list, and no more: its first figure and its last two."""
    digits = [place for place, letter in enumerate(phone) if letter.isdecimal()]
    kept = {*digits[:1], *digits[-_SHOWN_AT_END:]} if len(digits) > _SHOWN_AT_END + 1 else set()
    return "".join("•" if letter.isdecimal() and place not in kept else letter for place, letter in enumerate(phone))


def mask_phones(text: str, *, region: str = REGION) -> str:
    """Mask every phone number in a text, however it is written."""
    if not may_hold_phone(text):
        return text
    masked, end = [], 0
    for found in phonenumbers.PhoneNumberMatcher(text, region):
        masked += [text[end : found.start], mask_phone(text[found.start : found.end])]
        end = found.end
    return "".join((*masked, text[end:]))


def lives_elsewhere(phone: str | None, at: datetime) -> bool:
    """Say whether the client's clock shows another time than the salon's at this moment, as far as their number tells.

    A number may belong to several zones; one of them with the salon's offset is enough for "no".
    """
    if phone is None:
        return False
    known = find_zones(phone)
    return bool(known) and all(at.astimezone(zone).utcoffset() != at.utcoffset() for zone in known)


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
