"""Words: the same keys in every language, plurals, money, dates, and what counts as a yes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from fluent.syntax import FluentParser
from fluent.syntax.ast import Message

from locales import Translator, languages, prompt_text

ROOT = Path(__file__).parents[2]
RU, EN, KK = (Translator.for_language(code) for code in ("ru", "en", "kk"))


def keys(language):
    text = (ROOT / "locales" / f"{language}.ftl").read_text(encoding="utf-8")
    resource = FluentParser().parse(text)
    return {
        entry.id.name: set(re.findall(r"\{ \$(\w+)", text)) for entry in resource.body if isinstance(entry, Message)
    }


def test_every_language_has_the_same_keys():
    assert {language: sorted(keys(language)) for language in languages()} == dict.fromkeys(
        languages(), sorted(keys("ru"))
    )


def test_every_key_is_used_and_every_used_key_is_there():
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("bot", "handlers", "orchestration", "locales")
        for path in (ROOT / package).rglob("*.py")
    )
    asked_for = set(re.findall(r'\.text\(\s*"([a-z-]+)"', code))
    known = set(keys("ru"))

    assert asked_for <= known
    assert {
        key for key in known if f'"{key}"' not in code and f"'{key}'" not in code and not key.startswith("currency-")
    } == set()


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        (1, "1 минута"),
        (2, "2 минуты"),
        (5, "5 минут"),
        (21, "21 минута"),
        (60, "1 час"),
        (90, "1 час 30 минут"),
        (180, "3 часа"),
        (0, "0 минут"),
    ],
)
def test_lengths_of_time_have_russian_plurals(minutes, says):
    assert RU.duration(timedelta(minutes=minutes)) == says


def test_money_dates_and_times():
    assert RU.money(250000, "RUB") == "2500 руб."
    assert RU.money(250050, "RUB") == "2500,50 руб."
    assert RU.price(180000, 220000, "RUB") == "от 1800 до 2200 руб."
    assert EN.price(180000, None, "RUB") == "1800 RUB"
    assert EN.money(100, "USD") == "1 USD"
    assert RU.moment(datetime(2026, 11, 25, 15, 0, tzinfo=UTC)) == "среда, 25 ноября, 15:00"
    assert EN.moment(datetime(2026, 11, 25, 9, 5, tzinfo=UTC)) == "Wednesday, November 25, 09:05"
    assert RU.weekday(date(2026, 11, 29)) == "воскресенье"
    assert RU.time(time(9, 0)) == "09:00"


@pytest.mark.parametrize(("code", "language"), [("ru-RU", "ru"), ("en_US", "en"), ("de", "ru"), (None, "ru")])
def test_languages_fall_back(code, language):
    assert Translator.for_language(code).language == language


def test_a_missing_key_or_value_is_an_error():
    with pytest.raises((KeyError, LookupError)):
        RU.text("nothing-of-the-kind")
    with pytest.raises(KeyError):
        RU.text("greeting")


def test_kazakh_moments_and_money():
    assert KK.moment(datetime(2026, 11, 25, 15, 0, tzinfo=UTC)) == "сәрсенбі, 25 қараша, 15:00"
    assert KK.price(180000, 220000, "KZT") == "1800 – 2200 теңге"
    assert KK.duration(timedelta(minutes=90)) == "1 сағат 30 минут"


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_languages_prompt_names_the_same_tools(language):
    def tools(code):
        return set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", prompt_text(code)))

    assert tools(language) == tools("ru")
    assert "<!--" not in prompt_text(language)


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_text_takes_the_same_values_in_every_language(language):
    def values(code):
        text = (ROOT / "locales" / f"{code}.ftl").read_text(encoding="utf-8")
        entries = [entry for entry in FluentParser().parse(text).body if isinstance(entry, Message)]
        return {
            entry.id.name: set(re.findall(r"\$(\w+)", text[entry.span.start : entry.span.end])) for entry in entries
        }

    assert values(language) == values("ru")
