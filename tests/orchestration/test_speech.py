"""An answer that is heard while it is written: its sentences, what holds them back, what was heard of them."""

from __future__ import annotations

import asyncio

import pytest

from orchestration.guards.fault import Fault
from orchestration.speech import HeldBack, Interrupted, Reading, Speech, heard_of


class Ear:
    """A line that only listens."""

    def __init__(self):
        self.interrupted = asyncio.Event()
        self.said = []
        self.filled = []

    async def say(self, text):
        self.said.append(text)

    async def fill(self, text):
        self.filled.append(text)

    def heard(self):
        return " ".join(self.said)


async def read(text, check=lambda text: (), size=5):
    ear = Ear()
    reading = Reading(Speech(ear), check)
    for start in range(0, len(text), size):
        await reading.take(text[start : start + size])
    await reading.finish()
    return ear.said


async def test_whole_sentences_are_spoken_as_they_come():
    assert await read("Есть время завтра. Мы на ул. Ленина, 5. Записать вас?") == [
        "Есть время завтра.",
        "Мы на ул. Ленина, 5.",
        "Записать вас?",
    ]


async def test_a_long_sentence_is_spoken_up_to_a_comma_between_words():
    text = (
        "Женская стрижка с укладкой и окрашиванием занимает около трёх часов, поэтому лучше прийти с утра, если можно"
    )

    said = await read(text)

    assert len(said) > 1
    assert " ".join(said) == text


async def test_a_list_of_times_is_not_taken_apart():
    text = "Завтра у Анны Смирновой на женскую стрижку с укладкой есть 10:00, 11:00, 12:00, 13:00, 14:00, 15:00, 16:00"

    assert await read(text) == [text]


async def test_a_sentence_that_may_not_be_said_is_not_and_those_before_it_were():
    ear = Ear()
    reading = Reading(Speech(ear), lambda text: (Fault("claimed_deed", "записал"),) if "записал" in text else ())

    with pytest.raises(HeldBack) as held:
        await reading.take("Хорошо. Я вас записал. Ждём!")

    assert ear.said == ["Хорошо."]
    assert held.value.text == "Хорошо. Я вас записал."
    assert [fault.code for fault in held.value.faults] == ["claimed_deed"]


async def test_nothing_is_said_once_the_client_speaks():
    ear = Ear()
    ear.interrupted.set()

    with pytest.raises(Interrupted):
        await Reading(Speech(ear), lambda text: ()).take("Хорошо. Да")
    with pytest.raises(Interrupted):
        await Speech(ear).unless_interrupted(asyncio.Event().wait())
    assert ear.said == []


async def test_a_pause_is_bridged_once_and_only_before_anything_was_said():
    ear = Ear()
    speech = Speech(ear)
    await speech.bridge("Секунду.")
    await speech.bridge("Секунду.")
    await speech.say("Готово.")
    await speech.bridge("Секунду.")

    assert ear.filled == ["Секунду."]


SAID = [("Стрижка 1 500 руб.", "Стрижка тысяча пятьсот рублей."), ("Записать вас?", "Записать вас?")]


@pytest.mark.parametrize(
    ("utterance", "heard"),
    [
        ("Стрижка тысяча", "Стрижка тысяча…"),
        ("стрижка тысяча пятьсот рублей", "Стрижка 1 500 руб."),
        ("Стрижка тысяча пятьсот рублей. Записать", "Стрижка 1 500 руб. Записать…"),
        ("Стрижка тысяча пятьсот рублей. Записать вас?", "Стрижка 1 500 руб. Записать вас?"),
        ("Записать", "Стрижка 1 500 руб. Записать…"),
        ("Секунду, смотрю. Стрижка тысяча", "Стрижка тысяча…"),
        ("", ""),
        ("что-то другое", None),
    ],
)
def test_what_was_heard_is_told_by_what_was_spoken(utterance, heard):
    assert heard_of(SAID, utterance) == heard
