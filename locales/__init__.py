"""Words: texts by key, plurals, money and dates in the client's language. The only importer of Fluent and Babel."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, get_timezone_location
from babel.numbers import format_decimal
from fluent.runtime import FluentBundle, FluentResource

from locales.spoken import in_russian_letters, spoken_language

_HERE = Path(__file__).parent
_DEFAULT = "ru"
# Who speaks the one answers in the other as well: Kazakhstan's clients mix them in one talk.
_ALSO_SPOKEN = {"kk": "ru"}
# From this amount on people set the thousands apart; Russian and Kazakh write 2500 in one piece.
_GROUPED_FROM = {"en": 1_000}
_GROUPED_ELSE_FROM = 10_000


class Translator:
    """One language's words. Made by `for_language`; one object serves all."""

    def __init__(self, language: str, bundle: FluentBundle) -> None:
        self.language = language
        self._bundle = bundle

    @staticmethod
    def for_language(code: str | None, default: str = _DEFAULT, *, spoken: bool = False) -> Translator:
        """Return the translator of a language tag ("ru-RU" is "ru"); of `default` where there are no texts for it.

        `spoken`: where a text has another wording for the telephone (locales/voice), that.
        """
        found = (Translator.find_language(wanted) for wanted in (code, default))
        return _translator(next((language for language in found if language), _DEFAULT), spoken)

    @staticmethod
    def find_language(tag: str | None) -> str | None:
        """Return the language of ours that a tag names ("kk-KZ" is "kk"); None where there are no texts in it."""
        language = (tag or "").replace("_", "-").split("-")[0].lower()
        return language if language in languages() else None

    @staticmethod
    def language_of(text: str, so_far: str | None = None) -> str | None:
        """Say which of our languages a client writes in; None where a text does not tell: "ok", a figure, a name.

        `so_far` is the language that the client spoke before, None where that is not known.
        """
        return spoken_language(text, so_far)

    def text(self, key: str, **values: str | int) -> str:
        """Return the text of a key. Raises KeyError for a key that is not there or a value that is missing."""
        message = self._bundle.get_message(key)
        if message.value is None:
            raise KeyError(key)
        text, errors = self._bundle.format_pattern(message.value, values)
        if errors:
            raise KeyError(f"{key}: {errors[0]}")
        return str(text)

    def money(self, minor_units: int, currency: str) -> str:
        """Say an amount of minor units (a hundredth each): whole units where there is nothing after the point."""
        return _money(self, minor_units, currency)

    def currency(self, code: str) -> str:
        """Say a currency as it stands after an amount; its ISO 4217 code where we have no word for it."""
        key = f"currency-{code.lower()}"
        return self.text(key) if self._bundle.has_message(key) else code

    def price(self, low: int, high: int | None, currency: str) -> str:
        """Say a price; a range stays a range."""
        if high is None:
            return self.money(low, currency)
        lowest = _amount(low, self.language)
        return self.text("price-range", low=lowest, high=self.money(high, currency))

    def weekday(self, day: date) -> str:
        """Say the day of the week in full."""
        return _weekday(day.weekday(), self.language)

    def time(self, at: time) -> str:
        """Say a time of day, 24 hours."""
        return at.strftime("%H:%M")

    def day(self, day: date) -> str:
        """Say a day with its weekday."""
        pattern = "EEEE, d MMMM" if self.language != "en" else "EEEE, MMMM d"
        return format_date(day, pattern, locale=self.language)

    def short_day(self, day: date) -> str:
        """Say a day as a button has room for it: twenty characters at most."""
        return format_date(day, "EEE, d MMMM" if self.language != "en" else "EEE, MMMM d", locale=self.language)

    def tiny_day(self, day: date) -> str:
        """Say a day as the axis of a plot has room for it."""
        return format_date(day, "d MMM" if self.language != "en" else "MMM d", locale=self.language)

    def moment(self, at: datetime) -> str:
        """Say a moment with its weekday, by the clock that it carries."""
        return f"{self.day(at.date())}, {self.time(at.time())}"

    def zone(self, name: str) -> str:
        """Say whose clock it is by the zone's best-known place."""
        return get_timezone_location(name, locale=self.language, return_city=True)

    def duration(self, length: timedelta) -> str:
        """Say a length of time in hours and minutes."""
        hours, minutes = divmod(round(length.total_seconds() / 60), 60)
        parts = []
        if hours:
            parts.append(self.text("hours", count=hours))
        if minutes or not hours:
            parts.append(self.text("minutes", count=minutes))
        return " ".join(parts)

    def is_one_of(self, key: str, text: str) -> bool:
        """Say whether the whole text is nothing but one of the words that the key lists."""
        return _bare(text) in self._words(key)

    def is_yes(self, text: str) -> bool:
        """Say whether the whole text is nothing but a listed yes."""
        return _bare(text) in self._words("yes-words")

    def is_no(self, text: str) -> bool:
        """Say whether the whole text is nothing but a listed no."""
        return _bare(text) in self._words("no-words")

    def _words(self, key: str) -> frozenset[str]:
        also = _ALSO_SPOKEN.get(self.language)
        theirs = _translator(also)._words(key) if also else frozenset()
        return theirs | {_bare(word) for word in self.text(key).split("|")}


@cache
def languages() -> frozenset[str]:
    """Return the languages that there are texts for: one file each."""
    return frozenset(path.stem for path in _HERE.glob("*.ftl"))


@cache
def prompt_text(language: str) -> str:
    """Return the fixed part of the system prompt in a language; in the default one where there is none.

    "voice.ru" is what is added to "ru" on the telephone.
    """
    kind, _, _ = language.rpartition(".")
    path = _HERE / "prompts" / f"{language}.md"
    default = _HERE / "prompts" / (f"{kind}.{_DEFAULT}.md" if kind else f"{_DEFAULT}.md")
    text = (path if path.exists() else default).read_text(encoding="utf-8")
    # A remark is for whoever edits the file.
    return re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)


@cache
def guard_phrases() -> dict[str, dict[str, dict[str, Any]]]:
    """Return, by language, the patterns by which the guards know claims, promises, complaints and the like."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((_HERE / "guards").glob("*.toml"))
    }


@lru_cache(maxsize=16)
def _translator(language: str, spoken: bool = False) -> Translator:
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((_HERE / f"{language}.ftl").read_text(encoding="utf-8")))
    if spoken:
        said = (_HERE / "voice" / f"{language}.ftl").read_text(encoding="utf-8")
        bundle.add_resource(FluentResource(said), allow_overrides=True)
    return Translator(language, bundle)


@lru_cache(maxsize=2048)
def _money(texts: Translator, minor_units: int, currency: str) -> str:
    # A turn tells a few prices dozens of times over, and Babel takes 0.1 ms for one.
    return texts.text("money", amount=_amount(minor_units, texts.language), currency=texts.currency(currency))


@lru_cache(maxsize=64)
def _weekday(weekday: int, language: str) -> str:
    monday = date(2024, 1, 1)
    return format_date(monday + timedelta(days=weekday), "EEEE", locale=language)


@lru_cache(maxsize=2048)
def _amount(minor_units: int, language: str) -> str:
    whole, rest = divmod(minor_units, 100)
    grouped = whole >= _GROUPED_FROM.get(language, _GROUPED_ELSE_FROM)
    pattern = "#,##0.00" if rest else "#,##0"
    return format_decimal(Decimal(minor_units) / 100, pattern, locale=language, group_separator=grouped)


def _bare(text: str) -> str:
    """Strip a reply to its words: case, ё, Kazakh letters, punctuation, skin tones and variation marks of emoji."""
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", text)
        if unicodedata.category(character) not in ("Cf", "Mn") and not "\U0001f3fb" <= character <= "\U0001f3ff"
    )
    plain = in_russian_letters(kept.casefold().replace("ё", "е")).replace(",", " ")
    return re.sub(r"\s+", " ", plain.strip(" \t\n.!)(:;…\"'«»"))
