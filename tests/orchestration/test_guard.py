"""A figure that the company and the CRM did not give does not leave."""

from __future__ import annotations

import pytest

from locales import Translator, languages
from orchestration.guard import unknown_figures

FACTS = (
    "• Стрижка (2500 руб.) - 60 мин\nТелефон: +7 (495) 123-45-67",
    '{"time": "15:00", "price": "от 1800 до 2200 руб.", "duration_min": 90}',
)


@pytest.mark.parametrize(
    "reply",
    [
        "Стрижка стоит 2500 руб. и длится 60 минут.",
        "Стрижка стоит 2 500 ₽, это 1 час.",
        "Маникюр от 1800 до 2200 руб., полтора часа (90 мин).",
        "Есть время 15:00.",
        "Вы писали 16:30, но свободно 15:00.",
        "Приходите втроём!",
        "Позвоните: +7 (495) 123-45-67",
        "A haircut is 2,500 RUB, a manicure 1,800 to 2,200 RUB.",
        "Шаш қию 2500 рубль, 60 минут.",
        "Two gel polishes are ready.",
    ],
)
def test_what_was_given_may_be_said(reply):
    assert unknown_figures(reply, facts=FACTS, client_words="можно в 16:30?") == ()


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("Для вас 2000 руб.", "2000"),
        ("Всего 1 999 рублей", "1 999"),
        ("от 1500 до 2500 руб.", "1500"),
        ("That is $20", "20"),
        ("Скидка 10%", "10 %"),
        ("Это займёт 45 минут", "45 мин"),
        ("Это займёт 3 часа", "3 ч"),
        ("Свободно в 17:30", "17:30"),
        ("Цена 16 руб.", "16"),
        ("It is 1,500 RUB", "1,500"),
        ("Бағасы 3 500 теңге", "3 500"),
        ("₸ 3500", "3500"),
        ("10% жеңілдік, 45 минут", "45 мин"),
    ],
)
def test_what_was_not_given_may_not(reply, found):
    assert found in unknown_figures(reply, facts=FACTS, client_words="16:30? дайте скидку 10%, за 2000 руб.")


@pytest.mark.parametrize("currency", ["RUB", "KZT", "USD", "EUR", "BYN", "UZS", "KGS", "UAH", "GEL", "AMD"])
@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize("amount", [9_00, 1_900_00, 12_900_00, 12_900_50, 1_234_900_00])
def test_money_is_known_and_missed_as_every_language_writes_it(language, currency, amount):
    said = Translator.for_language(language).money(amount, currency)

    assert unknown_figures(f"{said}!", facts=[f'{{"price": "{said}"}}'], client_words="") == ()
    assert unknown_figures(f"{said}!", facts=FACTS, client_words="") != ()
