"""What counts as nothing but a yes or a no, in each language: a booking hangs on it."""

from __future__ import annotations

import itertools

import pytest

from locales import Translator, languages

KINDS = ("create", "move", "cancel")
RU, EN, KK = (Translator.for_language(code) for code in ("ru", "en", "kk"))


def listed(language, key):
    return [word.strip() for word in Translator.for_language(language).text(key).split("|")]


@pytest.mark.parametrize(
    "text",
    ["да", "Да.", "ДА!", " ок ", "👍", "👍🏽", "Да, спасибо", "да спасибо", "давайте", "Подтверждаю", "Всё верно"],
)
def test_a_russian_yes_counts_in_russian_and_among_kazakhs_who_mix(text):
    assert RU.is_yes(text)
    assert KK.is_yes(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Иә", "иә!", "иа", "ИӘ", "Жарайды", "жаксы", "жақсы.", "дұрыс", "дурыс", "келісемін", "келисемин", "болады"),
        *("иә, болады", "Мақұл", "макул", "Әрине", "иә рахмет", "ok", "👍", "✅"),
    ],
)
def test_a_kazakh_yes_however_it_is_typed(text):
    assert KK.is_yes(text)
    assert not KK.is_no(text)


@pytest.mark.parametrize("text", ["Жоқ", "жок", "Керек емес.", "Жоқ, рахмет", "болмайды", "нет", "Не надо", "👎"])
def test_a_kazakh_no_however_it_is_typed(text):
    assert KK.is_no(text)
    assert not KK.is_yes(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "да, но в 15", "да? а сколько стоит", "не да", "да\nой нет", "дача", "нет", "может быть", "ok google"),
        *("иә, бірақ 16-да", "иә ме?", "болады ма", "болады ма?", "дұрыс емес", "керек", "мейлі", "рахмет", "жазу"),
        *("жақсы емес", "иә\nжоқ", "yes but later"),
    ],
)
@pytest.mark.parametrize("language", sorted(languages()))
def test_what_is_more_or_less_than_a_yes_is_none(language, text):
    assert not Translator.for_language(language).is_yes(text)


def test_a_no():
    assert RU.is_no("Нет, спасибо!")
    assert not RU.is_no("нет, лучше в 15")
    assert EN.is_no("no thanks")


@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize("kind", KINDS)
def test_no_word_is_both_a_yes_and_a_no_to_the_same_question(language, kind):
    """With what clients of the language say besides it."""
    texts = Translator.for_language(language)
    spoken = [language, "ru"] if language == "kk" else [language]
    keys = ("yes-words", "no-words", f"yes-words-{kind}", f"no-words-{kind}")
    for code, key in itertools.product(spoken, keys):
        for word in listed(code, key):
            yes = texts.is_yes(word) or texts.is_one_of(f"yes-words-{kind}", word)
            no = texts.is_no(word) or texts.is_one_of(f"no-words-{kind}", word)
            assert (yes, no) == (key.startswith("yes"), key.startswith("no")), word


@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize(("kind", "other"), list(itertools.permutations(KINDS, 2)))
def test_the_yes_to_one_question_is_no_yes_to_another(language, kind, other):
    texts = Translator.for_language(language)
    for word in listed(language, f"yes-words-{kind}"):
        assert not texts.is_yes(word)
        assert not texts.is_one_of(f"yes-words-{other}", word)
