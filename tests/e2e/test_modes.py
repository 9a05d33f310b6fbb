"""How far a company lets its agent loose: drafts that staff send, outside of working hours, where nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from house_desk import IRINA, Desk

from bot.companies import file_of, replace_from_file
from bot.company_file import parse_company_file
from bot.company_writing import write_company_file
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.drafts import DraftStatus
from db.figures import together
from db.people_settings import PeopleSettings
from db.records import BranchId, dialogue_id_of, new_id
from db.stats import read_days
from house_installation import STAFF_CHAT


async def chooses(house, mode, **people):
    standing = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(standing.agent, mode=mode, people=PeopleSettings(**people))
    await house.core.companies.replace_company(standing.company, agent, standing.branches)
    house.core.directory.forget(house.company_id)


@pytest.fixture
async def desk(house):
    made = Desk(house)
    await made.enrol()
    return made


async def writes(house, client, text):
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, text)
    await house.settles()


async def drafts(house):
    async with house.core.database.company(house.company_id) as tx:
        now = house.clock()
        days = await read_days(tx, zone="Europe/Moscow", since=now.date(), now=now)
        return together(days.values()).drafts


async def test_a_draft_goes_out_with_one_tap_and_once(house, desk):
    await chooses(house, "draft")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    assert house.vendors.telegram.people.chat(client.bot_id, client.user.id) is not None
    assert client.heard == [], "the agent's words went out by themselves"
    assert "Сколько стоит женская стрижка?" in "\n".join(await desk.sees())
    assert "Черновик" in desk.heard[-1]
    assert "2500" in desk.heard[-1]

    await desk.presses("Отправить")

    assert len(client.heard) == 1
    assert "2500" in client.heard[0]
    assert "отправлено клиенту" in desk.heard[-1]
    await desk.people.press_stale_button(
        desk.bot, IRINA, desk.people.chat(desk.bot, STAFF_CHAT).messages[-1].message_id, "staff:ds:" + "0" * 32
    )
    await house.settles()
    assert len(client.heard) == 1
    assert (await drafts(house))[DraftStatus.SENT] == 1


@pytest.mark.parametrize("data", ["staff:ds:" + "g" * 32, "staff:ds:", "staff:dx:\u0430" + "0" * 31])
async def test_what_a_changed_client_presses_harms_nothing(house, desk, data):
    await chooses(house, "draft")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    await desk.sees()
    message = desk.people.chat(desk.bot, STAFF_CHAT).messages[-1].message_id
    await desk.people.press_stale_button(desk.bot, IRINA, message, data)
    await house.settles()
    assert client.heard == []
    await desk.presses("Отправить")
    assert len(client.heard) == 1


async def test_staff_say_it_in_their_own_words_and_the_next_is_a_draft_again(house, desk):
    await chooses(house, "draft")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    await desk.sees()

    await desk.answers("Добрый день! Стрижка 2500 рублей, приходите", to="Черновик")

    assert client.heard == ["Добрый день! Стрижка 2500 рублей, приходите"]
    assert (await drafts(house))[DraftStatus.EDITED] == 1
    await writes(house, client, "А маникюр?")
    await desk.sees()
    assert "Черновик" in desk.heard[-1]
    assert len(client.heard) == 1


async def test_a_draft_that_is_not_sent_is_not_sent(house, desk):
    await chooses(house, "draft")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    await desk.sees()
    await desk.presses("Не отправлять")
    assert client.heard == []
    assert (await drafts(house))[DraftStatus.DROPPED] == 1


async def test_what_the_client_writes_on_makes_the_draft_stale(house, desk):
    await chooses(house, "draft")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    await desk.sees()
    await writes(house, client, "И маникюр")
    await desk.sees()
    found = await drafts(house)
    assert found[DraftStatus.STALE] == 1
    assert found[DraftStatus.OPEN] == 1


async def test_in_working_hours_people_answer_and_at_night_the_agent(house, desk):
    await chooses(house, "off_hours")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    assert client.heard == []
    assert "Сколько стоит женская стрижка?" in "\n".join(await desk.sees())

    house.clock.now = datetime(2026, 11, 24, 23, 30, tzinfo=ZoneInfo("Europe/Moscow"))
    assert "2500" in (await client.says("Сколько стоит женская стрижка?")).text


async def test_where_nobody_answers_for_some_minutes_the_agent_does(house, desk):
    await chooses(house, "if_unanswered", answer_minutes=5)
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    assert client.heard == []
    seen = "\n".join(await desk.sees())
    assert seen.count("Сколько стоит женская стрижка?") == 1

    house.clock.advance(timedelta(minutes=5))
    await desk.sees()
    assert len(client.heard) == 1
    assert "2500" in client.heard[0]
    assert "\n".join(desk.heard).count("Сколько стоит женская стрижка?") == 1, "staff were shown it twice"


async def test_where_a_person_answers_in_time_the_agent_is_silent(house, desk):
    await chooses(house, "if_unanswered", answer_minutes=5)
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    await desk.sees()
    await desk.answers("2500 рублей", to="Сколько стоит")
    house.clock.advance(timedelta(minutes=30))
    await desk.sees()
    assert client.heard == ["2500 рублей"]


async def test_where_nobody_is_enrolled_the_agent_answers_whatever_the_mode(house):
    await chooses(house, "draft")
    assert "2500" in (await house.client().says("Сколько стоит женская стрижка?")).text


async def test_a_channel_may_have_a_mode_of_its_own(house, desk):
    await chooses(house, "draft", modes={"telegram": "always"})
    assert "2500" in (await house.client().says("Сколько стоит женская стрижка?")).text


async def test_a_branch_may_have_a_mode_of_its_own_once_the_dialogue_is_about_it(house, desk):
    await chooses(house, "always", branch_modes={"east": "draft"})
    east = await opens_second_branch(house, "east")
    client = house.client()
    assert "В каком филиале" in (await client.says("Сколько стоит женская стрижка?")).text
    count = len(client.heard)

    await has_visit(house, client, east)
    await writes(house, client, "А сколько стоит маникюр?")

    assert len(client.heard) == count, "the agent's words went out by themselves"
    assert "Черновик" in (await desk.sees())[-1]


async def test_one_branch_may_be_let_loose_alone(house, desk):
    await chooses(house, "draft", branch_modes={"east": "always"})
    east = await opens_second_branch(house, "east")
    client = house.client()
    await writes(house, client, "Сколько стоит женская стрижка?")
    assert client.heard == []

    await has_visit(house, client, east)

    assert "В каком филиале" in (await client.says("Сколько стоит женская стрижка?")).text


async def opens_second_branch(house, key):
    standing = await house.core.companies.get_snapshot(house.company_id)
    second = replace(standing.branches[0], id=BranchId(new_id()), key=key, name="Восток")
    await house.core.companies.replace_company(standing.company, standing.agent, [*standing.branches, second])
    house.core.directory.forget(house.company_id)
    return next(one for one in (await house.core.companies.get_snapshot(house.company_id)).branches if one.key == key)


async def has_visit(house, client, branch):
    """Let the client have a visit ahead at a branch."""
    channel = await house.channel()
    booked = BookedAppointment(
        id=new_id(),
        company_id=house.company_id,
        branch_id=branch.id,
        dialogue_id=dialogue_id_of(channel.id, f"{client.user.id}:{client.user.id}:"),
        crm_record_id="1",
        external_id="aiadm-1",
        starts_at=house.clock() + timedelta(days=1),
        duration=timedelta(hours=1),
        service_names=("Стрижка женская",),
        staff_name="Анна Смирнова",
        client_name="Елена",
        visitor_name=None,
        phone=client.phone,
        phone_proved=True,
    )
    async with house.core.database.company(house.company_id) as tx:
        await Appointments().save(tx, booked)


async def test_a_word_of_the_companys_own_list_brings_a_person_in(house, desk):
    await chooses(house, "always", topics=("сертификат",))
    client = house.client()
    assert "администратору" in (await client.says("Как обменять подарочный сертификат?")).text
    assert "Тема, о которой вы просили" in "\n".join(await desk.sees())
    count = len(client.heard)
    await writes(house, client, "Вы тут?")
    assert len(client.heard) == count


@pytest.mark.parametrize(
    ("says", "careful", "mode"),
    [
        ("", True, "draft"),
        ("mode: always\n", True, "always"),
        ("mode: off_hours\n", True, "off_hours"),
        ("", False, "always"),
    ],
)
async def test_a_new_company_of_production_begins_with_drafts_unless_its_file_says_otherwise(core, says, careful, mode):
    file = parse_company_file(f"name: Новая\nslug: novaya\nstaff_chat: '555'\n{says}time_zone: Europe/Moscow\n")
    company = await replace_from_file(core.companies, file, careful=careful)
    standing = await core.companies.get_snapshot(company.id)
    assert standing.agent.mode == mode
    # What is exported says it, so that it is the same wherever it is imported.
    again = parse_company_file(write_company_file(file_of(standing)))
    assert again.chooses_mode
    assert again.agent.mode == mode
