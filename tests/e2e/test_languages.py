"""What language a client is answered in, and which words of it are a yes to what."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.mark.parametrize(
    ("phone_speaks", "greeting"),
    [("kk", "Сәлеметсіз бе!"), ("en-GB", "Hello!"), ("ru", "Здравствуйте!"), ("de", "Здравствуйте!")],
)
async def test_a_client_is_greeted_in_the_language_of_their_messenger(house, phone_speaks, greeting):
    client = house.client()
    client.user = replace(client.user, language_code=phone_speaks)

    assert (await client.says("/start")).text.startswith(greeting)


async def test_what_a_client_writes_counts_more_than_what_their_messenger_speaks(house):
    client = house.client()
    client.user = replace(client.user, language_code="en")
    await client.says("/start")

    assert (await client.says("помощь")).text.startswith("Я цифровой помощник «Салон красоты Элита»")


async def test_a_kazakh_talk_stays_kazakh_over_russian_names_and_a_russian_yes(house):
    client = house.client()
    await client.says("салем, ертен тустен кейин шашымды киып бересиз бе")
    await client.says("Стрижка женская, Анна Смирнова")
    await client.says("15:00")
    await client.shares_contact()

    receipt = await client.says("да, спасибо")

    assert "Дайын, Сіз жазылдыңыз" in receipt.text
    assert "сәрсенбі, 25 қараша, 15:00" in receipt.text
    assert len(house.records()) == 1


@pytest.mark.parametrize(
    ("answer", "standing", "said"),
    [
        ("Отменяйте", 0, "Запись отменена"),
        ("не отменяйте", 1, "ничего не меняю"),
        ("записывайте", 1, ""),
        ("отмена", 1, ""),
    ],
)
async def test_only_a_yes_to_a_cancellation_cancels(house, answer, standing, said):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await client.says("Мои записи")
    await client.says("Отмените запись")

    assert said in (await client.says(answer)).text
    assert len(house.records()) == standing
