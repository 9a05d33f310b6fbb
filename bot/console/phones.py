"""Telephone numbers as the console shows them: masked everywhere, whole where somebody asked for one."""

from __future__ import annotations

import phonenumbers

from orchestration.phone_search import phones_in

_LAST = 2
_HIDDEN = "•"


def masked(phone: str) -> str:
    """Show a number's country and its last digits: enough to know it again."""
    digits = [one for one in phone if one.isdigit()]
    if len(digits) <= _LAST:
        return _HIDDEN * 3
    try:
        country = f"+{phonenumbers.parse(phone).country_code}"
    except phonenumbers.NumberParseException:
        country = ""
    return f"{country} {_HIDDEN * 3} {_HIDDEN * 2} {''.join(digits[-_LAST:])}".strip()


def without_phones(text: str) -> str:
    """Return a text in which every number is masked."""
    kept, at = [], 0
    for start, end in phones_in(text):
        if start >= at:
            kept += [text[at:start], masked(text[start:end])]
            at = end
    return "".join([*kept, text[at:]])


def written_out(phone: str) -> str:
    """Write a number as people read it."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return phone
