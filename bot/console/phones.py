"""A client's numbers, where somebody asked to see them whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import phonenumbers


def written_out(phones: Iterable[str]) -> list[Mapping[str, str]]:
    """Return each number as a link dials it, and as people read it."""
    return [{"number": phone, "written": _written(phone)} for phone in phones]


def _written(phone: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return phone
