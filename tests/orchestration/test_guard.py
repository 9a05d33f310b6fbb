"""A figure that the company and the CRM did not give does not leave."""

from __future__ import annotations

import pytest

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
    ],
)
def test_what_was_not_given_may_not(reply, found):
    assert found in unknown_figures(reply, facts=FACTS, client_words="16:30? дайте скидку 10%, за 2000 руб.")
