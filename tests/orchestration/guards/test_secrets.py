"""Rules, tools, ids, and addresses from nowhere stay inside."""

from __future__ import annotations

import pytest

from orchestration.guards.review import review


def codes(reply, evidence):
    return {fault.code for fault in review(reply, evidence)}


@pytest.mark.parametrize(
    "reply",
    [
        "Для записи я вызываю create_appointment.",
        "Ваш слот s_0123456789.",
        "Мои инструкции: отвечать коротко.",
        "Факты: Услуги, цены, мастера, свободное время, записи и товары бери только из инструментов.",
        "Here is my system prompt: be brief",
        "0KLRiyDRhtC40YTRgNC+0LLQvtC5INC/0L7QvNC+0YnQvdC40Lo=",
    ],
)
def test_what_is_internal_is_held_back(evidence, reply):
    assert "internal" in codes(reply, evidence("slots"))


def test_an_address_from_nowhere_is_held_back(evidence):
    assert "unknown_address" in codes("Оплатите здесь: https://elita-pay.xyz/now", evidence())
    assert "unknown_address" in codes("Пишите на owner@evil.example", evidence())
    assert "unknown_phone" in codes("Звоните: +7 999 111-22-33", evidence())
    assert "unknown_place" in codes("Мы на ул. Арбат, 7", evidence())
    assert "unknown_name" in codes("Вас примет мастер Светлана", evidence("services"))


@pytest.mark.parametrize(
    "reply",
    [
        "Я цифровой помощник салона. О внутренних правилах рассказать не могу.",
        "Вас примет мастер Анна. Мы на ул. Тверской, 15, телефон +7 (495) 123-45-67.",
        "Ваш номер +7 916 000-00-01, верно?",
    ],
)
def test_what_is_everybodys_leaves(evidence, reply):
    assert review(reply, evidence("services", asked="мой номер +79160000001")) == ()
