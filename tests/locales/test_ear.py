"""Written words into words for the ear, and what was heard into digits and choices."""

from __future__ import annotations

import random

import pytest

from locales.ear import for_the_ear, is_common_name, read_digits, read_ordinal, say_phone, spell


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("ru", "Стрижка стоит 1 500 руб. за раз.", "Стрижка стоит тысяча пятьсот рублей за раз."),
        ("ru", "от 1 500 до 2 000 руб.", "от тысячи пятисот до двух тысяч рублей."),
        ("ru", "2 000–2 500 ₽", "от двух тысяч до двух тысяч пятисот рублей."),
        ("ru", "21 руб.", "двадцать один рубль."),
        ("ru", "в 10:00 или 15:30", "в десять часов или пятнадцать тридцать."),
        ("ru", "в 9:05, после 15:30", "в девять ноль пять, после пятнадцати тридцати."),
        ("ru", "Работаем 10:00–20:00", "Работаем с десяти до двадцати часов."),
        ("ru", "среда, 26 ноября", "среда, двадцать шестого ноября."),
        ("ru", "26.11.2026", "двадцать шестого ноября две тысячи двадцать шестого года."),
        ("ru", "2 услуги за 90 минут", "две услуги за девяносто минут."),
        ("ru", "Скидка 15%", "Скидка пятнадцать процентов."),
        ("ru", "**Важно**: [прайс](https://x.ru) 😀", "Важно: прайс."),
        ("ru", "ул. Ленина, 5", "улица Ленина, пять."),
        ("ru", "Есть 10:00, 11:00, 12:00, 13:00, 14:00", "Есть десять часов, одиннадцать часов, и ещё три."),
        ("ru", "• раз\n• два\n• три\n• четыре\n• пять", "раз; два; три; и ещё два."),
        ("en", "A haircut is 1,500 RUB on November 26 at 15:30",
         "A haircut is one thousand five hundred roubles on November twenty-sixth at three thirty pm."),
        ("en", "$20, 2nd floor", "twenty dollars, second floor."),
        ("kk", "5000 теңге, 26 қараша, 15:30", "бес мың теңге, жиырма алтыншы қараша, сағат он бес отыз."),
    ],
)  # fmt: skip
def test_what_is_written_is_said_as_people_say_it(language, written, spoken):
    assert for_the_ear(written, language) == spoken


@pytest.mark.parametrize("language", ["ru", "en", "kk"])
def test_whatever_is_written_holds_nothing_that_cannot_be_said(language):
    chance = random.Random(7)  # noqa: S311 (the same junk each time)
    signs = "абв xyz0123456789 .,:;-–+()*•\n₽$%/№ руб. мин 10:00 26.11 https://a.b 😀"
    for _ in range(300):
        written = "".join(chance.choice(signs) for _ in range(chance.randrange(1, 120)))

        spoken = for_the_ear(written, language)

        assert not any(one.isdigit() or one in "*#|<>😀" for one in spoken), (written, spoken)


def test_a_phone_is_said_in_its_groups():
    said = say_phone("+79160030507", "ru")

    assert said == "плюс семь, девятьсот шестнадцать, ноль ноль три, ноль пять, ноль семь"
    assert say_phone("+79160030507", "en").startswith("plus seven, nine one six")


def test_a_name_is_spelled_where_not_everybody_knows_it():
    assert spell("Жанар", "ru") == "жэ, а, эн, а, эр"
    assert spell("Ann", "ru") == "ay, en, en"
    assert is_common_name("елена", "ru")
    assert not is_common_name("Жанар", "ru")


@pytest.mark.parametrize(
    ("language", "heard", "digits"),
    [
        ("ru", "код двенадцать тридцать четыре", "1234"),
        ("ru", "один два три четыре", "1234"),
        ("ru", "12-34", "1234"),
        ("ru", "восемь девятьсот шестнадцать сто двадцать три сорок пять ноль семь", "89161234507"),
        ("ru", "не пришёл", ""),
        ("en", "twelve thirty four", "1234"),
        ("en", "oh one 2 3", "0123"),
        ("kk", "он екі отыз төрт", "1234"),
    ],
)
def test_digits_are_understood_however_they_are_said(language, heard, digits):
    assert read_digits(heard, language) == digits


@pytest.mark.parametrize(
    ("language", "heard", "place"),
    [
        ("ru", "давайте второй", 2),
        ("ru", "первый вариант", 1),
        ("ru", "вторник", None),
        ("ru", "первый раз у вас", None),
        ("ru", "первый или второй", None),
        ("en", "the second one please", 2),
        ("kk", "екінші болсын", 2),
    ],
)
def test_a_choice_is_understood_where_it_is_one(language, heard, place):
    assert read_ordinal(heard, language) == place
