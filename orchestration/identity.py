"""Who the client is: phones in any writing, what a proved one allows that a typed one does not, and what clock
a number lives by."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone

from crm.base import Phone
from db.records import Author
from locales import zones_of
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


def lives_by_another_clock(phone: str | None, zone: str, at: datetime) -> bool:
    """Say whether the clock where a number (E.164) is from surely shows another time than `zone` at that moment.

    Not sure is no: a number that is not known, one of a country where some zone has that time, a zone that this machine
    has no data of. A mobile number is only as precise as its country.
    """
    zones = _zones_of_phone(phone)
    here = at.astimezone(ZoneInfo(zone)).utcoffset()
    try:
        return bool(zones) and all(at.astimezone(ZoneInfo(one)).utcoffset() != here for one in zones)
    except ZoneInfoNotFoundError:
        return False


def _zones_of_phone(phone: str | None) -> frozenset[str]:
    """Return the time zones where a number may be; empty where that is not known."""
    try:
        number = phonenumbers.parse(phone or "")
    except phonenumbers.NumberParseException:
        return frozenset()
    zones = frozenset(timezone.time_zones_for_number(number)) - {timezone.UNKNOWN_TIMEZONE}
    if len(zones) < 2:
        return zones
    # libphonenumber's time zones go by prefixes, and +7 is Russia's and Kazakhstan's: a mobile number of either gets
    # the zones of both. The countries it tells apart.
    return zones_of(phonenumbers.region_code_for_number(number) or "") or zones
