"""Phone numbers as CRMs hold them: typed by people, in any writing."""

from __future__ import annotations

import re

from crm.base import Phone


def digits_of(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def to_phone(text: str) -> Phone | None:
    """Return a phone written in any way as E.164; None for an empty or a masked one."""
    digits = digits_of(text)
    if "*" in text or not 8 <= len(digits) <= 15:
        return None
    if len(digits) == 11 and digits.startswith("89") and "+" not in text:  # a Russian mobile; no country's code is 89
        digits = "7" + digits[1:]
    return Phone("+" + digits)
