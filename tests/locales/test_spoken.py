"""Which language a client writes in, by their words; what they spoke before counts where a text tells little."""

from __future__ import annotations

import pytest

from locales import Translator


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ертең түстен кейін шашымды қидырғым келеді", "kk"),
        ("Сәлеметсіз бе, бағасы қанша?", "kk"),
        ("салем, шашымды киып беріңізші", "kk"),
        ("салем, шашымды киып бересиз бе", "kk"),
        ("Салем! Ертен сагат 5-ке жазып койыныз", "kk"),
        ("ертен 15:00-ге орын бар ма", "kk"),
        ("маникюр канша турады", "kk"),
        ("салем, мне на завтра", "ru"),
        ("рахмет", "kk"),
        ("иә", "kk"),
        ("иа", "kk"),
        ("Жок, рахмет", "kk"),
        ("Керек", "kk"),
        ("ЕРТЕҢ КЕЛЕМІН", "kk"),
        ("Айгүлге ертең жазыңыз", "kk"),
        ("не керек", "kk"),
    ],
)
def test_kazakh_is_told_by_its_letters_and_by_its_words_typed_on_a_russian_keyboard(text, language):
    assert Translator.language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "Привет",
        "Хочу к мастеру Айгүл на стрижку завтра вечером",
        "хочу к айгүл",
        "Мне бы записаться к Әсель",
        "Можно к Айгүл?",
        "к Айгүл",
        "Әсель завтра работает?",
        "бар есть у вас?",
        "Запишите меня к Ким",
        "Стрижка",
        "маникюр + педикюр",
        "Хочу Wella Color Touch",
        "Да",
        "другим мастером, если можно",
    ],
)
def test_russian_stays_russian_with_a_kazakh_name_in_it(text):
    assert Translator.language_of(text) == "ru"


@pytest.mark.parametrize(
    "text",
    [
        "I want a haircut",
        "Hello",
        "hi!",
        "What time do you open on Saturday?",
        "Do you speak English?",
        "Hello, I'd like an appointment with Анна",
        "book now",
        "15:00 please",
        "How much is a manicure?",
    ],
)
def test_english_is_told_by_english_words(text):
    assert Translator.language_of(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        *("", "ok", "OK!", "ок", "Окей", "👍", "👌🏽", "+", "15:00", "25.11", "+7 701 123 45 67", "Айгүл", "Matrix"),
        *("hochu zapisatsya", "hochu zapisatsya na strizhku zavtra v 15", "privet, skolko stoit strizhka", "da"),
        *("salem, shashymdy qiyp beresiz be", "Anna Smirnova", "Wella Color Touch"),
    ],
)
def test_what_tells_nothing_changes_nothing(text):
    for so_far in (None, "ru", "kk", "en"):
        assert Translator.language_of(text, so_far) is None


@pytest.mark.parametrize(
    ("so_far", "text", "language"),
    [
        ("kk", "Стрижка женская", None),
        ("kk", "Анна Смирнова", None),
        ("kk", "да", None),
        ("kk", "жарайды, спасибо", "kk"),
        ("kk", "барлыгына ракмет", "kk"),
        ("kk", "Можно на завтра?", "ru"),
        ("kk", "хочу отменить", "ru"),
        ("kk", "I need another day", "en"),
        ("kk", "yes", None),
        ("ru", "thanks", None),
        ("ru", "иә, жазыңыз", "kk"),
        ("ru", "thanks, see you tomorrow", "en"),
        ("en", "yes please", "en"),
        ("en", "да", "ru"),
        ("en", "Анна", "ru"),
    ],
)
def test_a_word_of_another_language_is_no_change_of_language(so_far, text, language):
    assert Translator.language_of(text, so_far) == language
