"""A new client is told once in each channel who processes their data, in words that are kept with the date."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from db.call_models import calls
from db.models import sessions
from db.privacy import PrivacySettings
from db.privacy_models import notice_wordings

TOLD = "обрабатывает ваши имя, номер и сообщения"


@pytest.fixture
def say_of_privacy(house):
    async def change(language="ru", **privacy):
        agent = (await house.core.companies.get_snapshot(house.company_id)).agent
        changed = replace(agent, language=language, privacy=PrivacySettings(**privacy))
        await house.core.companies.set_agent(house.company_id, changed)
        house.core.directory.forget(house.company_id)

    return change


async def rows(house, table):
    async with house.core.database.company(house.company_id) as tx:
        return (await tx.connection.execute(select(table))).mappings().all()


async def test_the_first_answer_tells_it_and_no_later_one(house):
    client = house.client()

    first = await client.says("Сколько стоит окрашивание?")
    second = await client.says("А маникюр?")

    greeting, told, *answer = first.text.split("\n\n")
    assert "Я цифровой помощник" in greeting
    assert told.startswith("Чтобы ответить и записать вас, Салон красоты Элита обрабатывает")
    assert "8 000" in "".join(answer).replace("\xa0", " ") or answer
    assert TOLD not in second.text


async def test_what_was_told_is_kept_by_date_version_and_channel(house):
    telegram, whatsapp = house.client(), await house.whatsapp_client()
    assert TOLD in (await telegram.says("/start")).text
    assert TOLD in (await whatsapp.says("Здравствуйте")).text
    await house.settles()

    told = [row for row in await rows(house, sessions) if row["notice_at"] is not None]
    [wording] = await rows(house, notice_wordings)
    assert len({row["channel_id"] for row in told}) == 2
    assert {(row["notice_at"], row["notice_version"]) for row in told} == {(house.clock(), wording["version"])}
    assert TOLD in wording["text"]


async def test_a_companys_own_words_and_its_policy_are_told_and_are_another_version(house, say_of_privacy):
    await house.client().says("Здравствуйте")
    await say_of_privacy(operator="ООО «Элита»", policy_url="https://example.org/p")
    standard = await house.client().says("Здравствуйте")
    await say_of_privacy(notice_text="Мы бережём ваши данные:", policy_url="https://example.org/p")
    own = await house.client().says("Здравствуйте")

    assert "ООО «Элита» обрабатывает" in standard.text
    assert "https://example.org/p" in standard.text
    assert "Мы бережём ваши данные: https://example.org/p" in own.text
    assert len(await rows(house, notice_wordings)) == 3


@pytest.mark.parametrize(
    ("privacy", "language", "told"),
    [({}, "ru", True), ({"notice": False}, "ru", False), ({}, "en", False), ({"notice": True}, "en", True)],
)
async def test_it_is_told_where_the_company_speaks_russian_unless_it_says_otherwise(
    house, say_of_privacy, privacy, language, told
):
    await say_of_privacy(language, **privacy)

    assert ("/delete_me" in (await house.client().says("Здравствуйте")).text) is told


async def test_who_was_erased_is_told_anew(house):
    client = house.client()
    await client.says("/start")
    await client.says("/delete_me")
    done = await client.presses("Да, удалить")
    again = await client.says("Сколько стоит окрашивание?")

    assert TOLD not in done.text
    assert TOLD in again.text


async def test_a_caller_hears_it_in_the_first_call_of_a_number_only(house):
    told = "обрабатываем ваши имя, номер и слова"
    greetings = []
    for number in ("+79160009999", "+79160009999", "+79160008888", None, None):
        phone = await house.phone(number)
        async with phone:
            greetings.append(phone.transcript[0][1])

    assert [told in greeting for greeting in greetings] == [True, False, True, True, True]
    kept = [row["notice_version"] for row in await rows(house, calls)]
    assert len([one for one in kept if one]) == 4
