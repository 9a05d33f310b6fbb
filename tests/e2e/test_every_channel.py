"""One booking, whatever the channel, the language and the way: the same appointment stands in the CRM."""

from __future__ import annotations

import pytest

WORDS = {
    "ru": {
        "wish": "Хочу постричься завтра после обеда",
        "who": "Женская стрижка, мастер Анна Смирнова",
        "when": "Давайте в 15:00",
        "yes": "Да",
        "book": "записаться",
        "day": "ср, 25 ноября",
        "later": "Дальше",
        "confirm": "Да, записать",
        "done": "Готово, вы записаны",
    },
    "en": {
        "wish": "I would like a haircut tomorrow afternoon",
        "who": "Women's haircut with Anna Smirnova",
        "when": "15:00 please",
        "yes": "Yes",
        "book": "book now",
        "day": "Wed, November 25",
        "later": "Later",
        "confirm": "Yes, book it",
        "done": "you are booked",
    },
    "kk": {
        "wish": "Ертең түстен кейін шашымды қидырғым келеді",
        "who": "Әйелдер шаш қиюы, шебер Анна Смирнова",
        "when": "Сағат 15:00-ге жазыңыз",
        "yes": "Иә",
        "book": "жазылу",
        "day": "ср, 25 қараша",
        "later": "Әрі қарай",
        "confirm": "Иә, жазыңыз",
        "done": "Дайын, Сіз жазылдыңыз",
    },
}


@pytest.fixture(params=["telegram", "whatsapp"])
async def client(request, house):
    return house.client() if request.param == "telegram" else await house.whatsapp_client()


async def by_text(client, words):
    await client.says(words["wish"])
    await client.says(words["who"])
    asked = await client.says(words["when"])
    await prove_phone(client, asked)
    return await client.says(words["yes"])


async def by_voice(client, words):
    await client.says_aloud(words["wish"])
    await client.says_aloud(words["who"])
    asked = await client.says_aloud(words["when"])
    await prove_phone(client, asked)
    return await client.says_aloud(words["yes"])


async def by_buttons(client, words):
    await client.says(words["book"])
    await client.presses("Стрижка женская")
    await client.presses("Анна Смирнова")
    await client.presses(words["day"])
    # A list of ten rows has fewer times on a page than a keyboard.
    while not client.is_offered("15:00"):
        await client.presses(words["later"])
    asked = await client.presses("15:00")
    await prove_phone(client, asked)
    return await client.presses(words["confirm"])


async def prove_phone(client, asked):
    """In Telegram the number has to be shared; WhatsApp vouches for it from the start."""
    if "15:00" not in asked.text:
        await client.shares_contact()


@pytest.mark.parametrize("language", sorted(WORDS))
@pytest.mark.parametrize("way", [by_text, by_voice, by_buttons], ids=["by text", "by voice", "by buttons"])
async def test_the_same_booking_comes_to_the_same_appointment(house, client, way, language):
    receipt = await way(client, WORDS[language])

    assert WORDS[language]["done"] in receipt.text
    [record] = house.records()
    assert (record["datetime"], record["staff_id"], record["seance_length"]) == ("2026-11-25T15:00:00+03:00", 101, 3600)
    assert [service["id"] for service in record["services"]] == [501]
    assert record["client"]["phone"] == client.phone
    assert "не подтверждён" not in record["comment"]
    assert record["api_id"].startswith("aiadm-")
