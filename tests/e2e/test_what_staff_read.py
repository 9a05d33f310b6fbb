"""The salon's staff read the company's language, whatever the client speaks."""

from __future__ import annotations


async def staff_hear(house, client):
    """Wait for the first notice, and return it."""
    await house.vendors.telegram.people.wait_for(client.bot_id, 555_000, lambda _: bool(house.staff_heard()))
    return house.staff_heard()[0]


async def test_a_kazakh_client_calls_a_person_and_staff_are_told_in_russian(house):
    client = house.client()
    await client.says("Сәлеметсіз бе")

    answer = await client.says("Әкімшіні шақырыңыз")

    assert "жеткіздім" in answer.text
    assert "Клиент просит человека" in await staff_hear(house, client)


async def test_a_kazakh_clients_typed_phone_is_told_to_staff_in_russian_with_the_day(house):
    client = house.client()
    await client.says("Ертең түстен кейін шашымды қидырғым келеді")
    await client.says("Әйелдер шаш қиюы, шебер Анна Смирнова")
    await client.says("Сағат 15:00-ге жазыңыз")
    await client.says("8 (916) 123-45-67")

    receipt = await client.presses("Иә, жазыңыз")

    assert "сәрсенбі, 25 қараша, 15:00" in receipt.text
    notice = await staff_hear(house, client)
    assert "неподтверждённым номером" in notice
    assert "среда, 25 ноября, 15:00" in notice
