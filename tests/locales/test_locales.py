"""Words: the same keys in every language, plurals, money, dates, prompts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from babel.numbers import is_currency
from fluent.syntax import FluentParser
from fluent.syntax.ast import Junk, Message

from locales import Translator, languages, prompt_text

ROOT = Path(__file__).parents[2]
RU, EN, KK = (Translator.for_language(code) for code in ("ru", "en", "kk"))


LANGUAGES = pytest.mark.parametrize("language", sorted(languages()))


def values(language, folder="locales"):
    """Each key with the names of the values that its text takes."""
    text = (ROOT / folder / f"{language}.ftl").read_text(encoding="utf-8")
    messages = [entry for entry in FluentParser().parse(text).body if isinstance(entry, Message)]
    return {
        message.id.name: set(re.findall(r"\$(\w+)", text[message.span.start : message.span.end]))
        for message in messages
    }


MADE = (
    "currency-",
    *(f"console-{kind}-" for kind in ("by", "channel", "figure", "language", "mode", "no-dialogues", "plot", "role")),
    # tests/bot/console/test_settings.py asks for each of them.
    *("console-field-", "console-fault-of-"),
)


@pytest.fixture(scope="session")
def code():
    packages = ("bot", "handlers", "orchestration", "locales")
    paths = [path for package in packages for kind in ("*.py", "*.html") for path in (ROOT / package).rglob(kind)]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@LANGUAGES
def test_every_language_has_the_same_keys_and_its_texts_take_the_same_values(language):
    assert values(language) == values("ru")
    assert values(language, "locales/voice") == values("ru", "locales/voice")


@LANGUAGES
def test_what_is_said_on_the_telephone_takes_the_values_of_what_is_written(language):
    written = values(language)
    said = values(language, "locales/voice")

    assert {key: said[key] for key in said.keys() & written.keys()} == {
        key: written[key] for key in said.keys() & written.keys()
    }


@LANGUAGES
def test_every_key_is_used(language, code):
    """As a literal; some are made of a code, or of a field's or a page's name."""
    literals = set(re.findall(r"""(?:"([a-z-]+)"|'([a-z-]+)')""", code))
    used = {one for pair in literals for one in pair if one}
    every = {*values(language), *values(language, "locales/voice")}
    unused = {key for key in every if key not in used and not key.startswith(MADE)}

    assert unused == set()


@LANGUAGES
def test_every_used_key_is_there(language, code):
    assert set(re.findall(r"""texts\.text\(\s*["']([a-z-]+)["']""", code)) <= {
        *values(language),
        *values(language, "locales/voice"),
    }


@LANGUAGES
def test_there_are_words_only_for_currencies_that_there_are(language):
    codes = {key.removeprefix("currency-").upper() for key in values(language) if key.startswith("currency-")}

    assert {code for code in codes if not is_currency(code)} == set()


@LANGUAGES
def test_a_file_is_one_that_fluent_reads_to_the_end(language):
    text = (ROOT / "locales" / f"{language}.ftl").read_text(encoding="utf-8")

    assert [entry for entry in FluentParser().parse(text).body if isinstance(entry, Junk)] == []


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


def spaced(text):
    """As it is read: the spaces within a number never break a line, but they are spaces."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("amount", "currency", "ru", "en", "kk"),
    [
        (2500_00, "RUB", "2500 руб.", "2,500 RUB", "2500 рубль"),
        (2500_50, "RUB", "2500,50 руб.", "2,500.50 RUB", "2500,50 рубль"),
        (12500_00, "KZT", "12 500 тг", "12,500 KZT", "12 500 теңге"),
        (1234567_05, "UZS", "1 234 567,05 сум", "1,234,567.05 UZS", "1 234 567,05 сум"),
        (1_00, "USD", "1 долл.", "1 USD", "1 доллар"),
        (30_00, "EUR", "30 евро", "30 EUR", "30 еуро"),
        (45_50, "BYN", "45,50 бел. руб.", "45.50 BYN", "45,50 беларусь рублі"),
        (700_00, "KGS", "700 сом", "700 KGS", "700 сом"),
        (700_00, "PLN", "700 PLN", "700 PLN", "700 PLN"),
        (0, "RUB", "0 руб.", "0 RUB", "0 рубль"),
    ],
)
def test_money_is_written_as_people_write_it(amount, currency, ru, en, kk):
    assert [spaced(texts.money(amount, currency)) for texts in (RU, EN, KK)] == [ru, en, kk]


@pytest.mark.parametrize(
    ("texts", "says"),
    [(RU, "от 9000 до 12 500 тг"), (EN, "from 9,000 to 12,500 KZT"), (KK, "9000 – 12 500 теңге")],
)
def test_a_price_range_stays_a_range(texts, says):
    assert spaced(texts.price(9000_00, 12500_00, "KZT")) == says
    assert texts.price(9000_00, None, "KZT") == texts.money(9000_00, "KZT")


@pytest.mark.parametrize(
    ("texts", "moment", "short", "weekday"),
    [
        (RU, "среда, 25 ноября, 09:05", "ср, 25 ноября", "воскресенье"),
        (EN, "Wednesday, November 25, 09:05", "Wed, November 25", "Sunday"),
        (KK, "сәрсенбі, 25 қараша, 09:05", "ср, 25 қараша", "жексенбі"),
    ],
)
def test_moments_days_and_times(texts, moment, short, weekday):
    at = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)

    assert texts.moment(at) == moment
    assert texts.short_day(at.date()) == short
    assert texts.weekday(date(2026, 11, 29)) == weekday
    assert texts.time(time(9, 0)) == "09:00"


@LANGUAGES
def test_a_short_day_has_room_on_a_button(language):
    texts = Translator.for_language(language)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]

    assert max(len(texts.short_day(day)) for day in days) <= 20


@pytest.mark.parametrize(
    ("texts", "says"),
    [(RU, "15:00 (по времени: Москва)"), (EN, "15:00 (Moscow time)"), (KK, "15:00 (Мәскеу уақытымен)")],
)
def test_a_moment_says_by_whose_clock_it_is(texts, says):
    assert texts.text("moment-in-zone", moment="15:00", zone=texts.zone("Europe/Moscow")) == says


@pytest.mark.parametrize(
    ("texts", "says"),
    [(EN, "1 hour 1 minute, 2 hours"), (KK, "1 сағат 1 минут, 2 сағат"), (RU, "1 час 1 минута, 2 часа")],
)
def test_lengths_of_time_in_every_language(texts, says):
    assert f"{texts.duration(timedelta(minutes=61))}, {texts.duration(timedelta(hours=2))}" == says


@pytest.mark.parametrize(
    ("code", "language"), [("ru-RU", "ru"), ("en_US", "en"), ("kk-KZ", "kk"), ("KK", "kk"), ("de", "ru"), (None, "ru")]
)
def test_languages_fall_back(code, language):
    assert Translator.for_language(code).language == language


@pytest.mark.parametrize(
    ("code", "default", "language"),
    [(None, "kk", "kk"), ("uz", "kk", "kk"), ("uz", "en-GB", "en"), ("uz", "uz", "ru"), ("en", "kk", "en")],
)
def test_the_companys_language_stands_in_and_russian_for_that(code, default, language):
    assert Translator.for_language(code, default).language == language


@pytest.mark.parametrize(
    ("tag", "language"), [("kk-KZ", "kk"), ("en_US", "en"), ("uz", None), ("", None), (None, None)]
)
def test_a_tag_names_a_language_only_where_there_are_texts_in_it(tag, language):
    assert Translator.find_language(tag) == language


def test_a_missing_key_or_value_is_an_error():
    with pytest.raises((KeyError, LookupError)):
        RU.text("nothing-of-the-kind")
    with pytest.raises(KeyError):
        RU.text("greeting")


@LANGUAGES
def test_every_languages_prompt_names_the_same_tools_and_headings(language):
    def named(code):
        text = prompt_text(code)
        return set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)), text.count("\n- "), text.count("\n\n")

    assert named(language) == named("ru")
    assert "<!--" not in prompt_text(language)


def test_what_no_native_speaker_has_read_is_marked():
    for file in ("kk.ftl", "prompts/kk.md", "voice/kk.ftl", "ear/kk.toml", "prompts/voice.kk.md"):
        first, *_ = (ROOT / "locales" / file).read_text(encoding="utf-8").splitlines()
        assert "Not proofread by a native speaker yet" in first, file
