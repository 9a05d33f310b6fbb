"""Only code says that something was booked: the model's words about it do not leave, and honest ones do."""

from __future__ import annotations

import pytest

from orchestration.guards.review import review


def codes(reply, evidence):
    return {fault.code for fault in review(reply, evidence)}


@pytest.mark.parametrize(
    "reply",
    [
        "Готово! Записала вас на завтра в 15:00.",
        "Вы записаны, ждём вас завтра!",
        "Записываю вас к Анне на 15:00.",
        "Ваша запись подтверждена.",
        "Запись перенесена.",
        "Отменила.",
        "Записала вас на 15:00, хорошо?",
        "You're all set for tomorrow at 3 pm!",
        "I've cancelled your appointment.",
        "See you tomorrow at 15:00!",
        "Сізді ертеңге жаздым.",
        "Жазылуыңыз расталды, ертең күтеміз!",
        "Жазбаңыз өшірілді.",
    ],
)
def test_a_claim_without_a_read_record_is_held_back(evidence, reply):
    assert codes(reply, evidence("slots")) & {"claimed_deed", "claimed_visit"}


@pytest.mark.parametrize("reply", ["Вы записаны на пятницу, 15:00.", "You are booked for Friday at 15:00."])
def test_that_a_visit_stands_may_be_said_once_it_was_read(evidence, reply):
    assert review(reply, evidence("mine")) == ()
    assert codes(reply, evidence("slots")) & {"claimed_visit"}


@pytest.mark.parametrize(
    "reply", ["Вы записаны на субботу, 15:00.", "Вы записаны на пятницу в 16:00.", "Ждём вас завтра!"]
)
def test_only_the_visit_that_was_read_stands(evidence, reply):
    assert "claimed_visit" in codes(reply, evidence("mine"))


@pytest.mark.parametrize("reply", ["Готово, перенесла вас на пятницу, 15:00.", "Your visit has been cancelled."])
def test_a_deed_is_never_the_models_to_tell(evidence, reply):
    assert "claimed_deed" in codes(reply, evidence("mine"))


@pytest.mark.parametrize(
    "reply",
    [
        "На какое время вас записать?",
        "Записать вас на 15:00?",
        "Вы уже записаны к нам?",
        "Чтобы записать вас, мне нужен номер телефона.",
        "Вы пока не записаны.",
        "Если вы записаны, назовите время.",
        "Запись можно отменить за 3 часа до визита.",
        "Отменить или перенести запись?",
        "Мы открыты, ждём вас с 9:00 до 21:00.",
        "Когда запись будет подтверждена, я напишу.",
        "Would you like me to book you in?",
        "You can cancel your appointment up to 3 hours before.",
        "You are not booked yet.",
        "Сізді қай уақытқа жазайын?",
        "Сіз әлі жазылған жоқсыз.",
    ],
)
def test_a_question_and_a_condition_claim_nothing(evidence, reply):
    assert review(reply, evidence("slots")) == ()
