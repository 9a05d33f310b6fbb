"""Written words into words for the ear, and back: what is said on the telephone, and what was heard there."""

from __future__ import annotations

from locales.ear.recognised import digits_in, option_in
from locales.ear.tables import tables
from locales.ear.written import plain_text, say_figures, say_number_groups


def for_the_ear(text: str, language: str) -> str:
    """Return text as it is read aloud: no markup, no links, at most three items of a list, figures as words."""
    table = tables(language)
    return say_figures(plain_text(text, table), table)


def say_phone(phone: str, language: str) -> str:
    """Say a phone number (E.164) in the groups that people say it in."""
    return say_number_groups(phone, tables(language))


def spell(name: str, language: str) -> str:
    """Name a name's letters; Latin ones by their English names in any language."""
    letters = {**tables("en").raw["letters"], **tables("ru").raw["letters"], **tables(language).raw["letters"]}
    return ", ".join(str(letters[one]) for one in name.casefold() if one in letters)


def is_common_name(name: str, language: str) -> bool:
    """Say whether everybody knows how a first name is written."""
    return name.casefold() in tables(language).common_names


def read_digits(spoken: str, language: str) -> str:
    """Return the digits that speech recognition heard, whether it wrote figures or words; "" for none."""
    return digits_in(spoken, tables(language))


def read_ordinal(spoken: str, language: str) -> int | None:
    """Return which of several options was chosen ("the second one" is 2); None where the words choose none."""
    return option_in(spoken, tables(language))
