"""Discounts, refunds, free corrections and medical advice are never given; refusing them is."""

from __future__ import annotations

import pytest

from orchestration.guards.review import review
from orchestration.guards.topics import Topic, asks_of_picture, find_topic


def codes(reply, evidence):
    return {fault.code for fault in review(reply, evidence)}


@pytest.mark.parametrize(
    "reply",
    [
        "Сделаем вам скидку!",
        "Для вас скидка 10%.",
        "Вернём деньги в течение недели.",
        "Переделаем бесплатно.",
        "Возврат оформим сегодня.",
        "Маникюр в подарок!",
        "I can give you a discount.",
        "We will refund you.",
        "We'll fix it free of charge.",
        "Сізге жеңілдік береміз.",
        "Ақшаңызды қайтарамыз.",
    ],
)
def test_a_promise_is_held_back(evidence, reply):
    assert "promise" in codes(reply, evidence())


@pytest.mark.parametrize(
    "reply",
    [
        "К сожалению, скидок у нас нет.",
        "Скидку обещать не могу, это решает администратор.",
        "Я передал администратору вопрос о возврате.",
        "Деньги за сертификат не возвращаются.",
        "Да, бесплатная парковка для гостей во дворе.",
        "Отменить запись можно бесплатно за 3 часа.",
        "Sorry, we do not offer discounts.",
        "Өкінішке орай, жеңілдік жоқ.",
    ],
)
def test_refusing_one_is_no_promise(evidence, reply):
    assert review(reply, evidence()) == ()


@pytest.mark.parametrize(
    "reply",
    [
        "При беременности красить волосы можно.",
        "Это безопасно для кормящих, аллергии не будет.",
        "Примите супрастин.",
        "Похоже, у вас дерматит.",
        "It is safe during pregnancy.",
        "Take an antihistamine before the visit.",
        "Жүктілік кезінде шаш бояу қауіпсіз.",
    ],
)
def test_medical_advice_is_held_back(evidence, reply):
    assert "medical_advice" in codes(reply, evidence())


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("Мне испортили волосы, верните деньги", Topic.COMPLAINT),
        ("Хочу пожаловаться на мастера", Topic.COMPLAINT),
        ("This is unacceptable, I want a refund", Topic.COMPLAINT),
        ("Шағым айтқым келеді", Topic.COMPLAINT),
        ("Можно ли красить волосы при беременности?", Topic.HEALTH),
        ("Is it safe while breastfeeding?", Topic.HEALTH),
        ("Жүкті кезде бояуға бола ма?", Topic.HEALTH),
        ("Зуб болит, можно на сегодня?", None),
        ("Сколько стоит анестезия?", None),
        ("Хочу записаться на стрижку", None),
        ("Спасибо, всё отлично!", None),
    ],
)
def test_a_complaint_and_a_question_of_health_are_known(words, topic):
    assert find_topic(words) is topic


def test_what_is_asked_of_a_picture_is_a_persons():
    assert asks_of_picture("Сколько будет стоить так же?")
    assert not asks_of_picture("Запишите меня на завтра в 15:00")
