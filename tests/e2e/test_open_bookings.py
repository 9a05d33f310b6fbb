"""How many visits one client may have ahead: held over all channels, told kindly, and a person is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
async def only_one(house):
    """Элита lets a client have one visit ahead."""
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, most_open_bookings=1)
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)
    house.core.directory.forget(house.company_id)


async def asks_again(client):
    await client.says("Хочу постричься завтра после обеда")
    await client.says("Женская стрижка, мастер Анна Смирнова")
    return await client.says("Давайте в 18:00")


async def test_one_more_than_the_company_allows_is_not_booked_whatever_channel_it_comes_by(house, only_one):
    telegram, whatsapp = house.client(), await house.whatsapp_client()
    telegram.phone = whatsapp.phone
    await telegram.reaches_proposal()
    await telegram.presses("Да, записать")

    refused = await asks_again(telegram)
    elsewhere = await asks_again(whatsapp)
    called = await telegram.says("администратор")
    await house.settles()

    for told in (refused, elsewhere):
        assert "впереди уже 1 запись" in told.text
        assert "администратор" in told.text
    assert "Передал" in called.text
    assert any(telegram.phone in text for text in house.staff_heard())
    assert len(house.records()) == 1


async def test_a_cancelled_visit_makes_room_for_another(house, only_one):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await client.says("Отмените мою запись")
    await client.presses("Да, отменить")
    assert house.records() == []

    proposed = await asks_again(client)
    await client.presses("Да, записать")

    assert "18:00" in proposed.text
    assert len(house.records()) == 1


async def test_who_is_asked_in_two_channels_at_once_books_in_one(house, only_one):
    """Both questions were put before anything was booked: the bound is looked at again when the yes comes."""
    telegram, whatsapp = house.client(), await house.whatsapp_client()
    telegram.phone = whatsapp.phone
    await telegram.reaches_proposal()
    question = await asks_again(whatsapp)
    assert question.text.rstrip().endswith("?")

    await telegram.presses("Да, записать")
    told = await whatsapp.presses("Да, записать")

    assert "впереди уже 1 запись" in told.text
    assert len(house.records()) == 1


async def test_what_others_type_counts_against_no_owner_of_a_number(house, only_one):
    stranger, owner = house.client("Чужой"), house.client()
    await stranger.says("Хочу постричься завтра после обеда")
    await stranger.says("Женская стрижка, мастер Анна Смирнова")
    await stranger.says("Давайте в 18:00")
    await stranger.says(f"Мой номер {owner.phone}")
    await stranger.presses("Да, записать")
    assert len(house.records()) == 1

    await owner.reaches_proposal()
    await owner.presses("Да, записать")

    assert len(house.records()) == 2
