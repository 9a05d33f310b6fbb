"""The salon's people in their group with topics: they ask the agent, stop it, teach it, and answer who is late."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.channels.telegram_groups import put_out_of_groups
from bot.staff_members import invite, remove
from db.staff import Role
from house_installation import Installation
from sandbox.seeds import ELITA_ID
from sandbox.telegram.group_life import GroupLife
from sandbox.telegram.people import buttons_of
from sandbox.telegram.state import User

OLGA = User(id=11, first_name="Ольга")
MARIA = User(id=12, first_name="Мария")
ANNA = User(id=13, first_name="Анна Смирнова")
STRANGER = User(id=14, first_name="Прохожий")


@dataclass
class Shift:
    """The staff's group, with the bot in it."""

    house: Installation
    group: GroupLife

    @property
    def bot(self):
        return self.house.bots[self.house.company_id]

    async def enrol(self, user, role, **more):
        """Let somebody come in by their link, and join the group."""
        made = await invite(self.house.core, self.house.company_id, name=user.first_name, role=role, **more)
        people = self.house.vendors.telegram.people
        await people.send_start(self.bot, user, made.links[0].partition("start=")[2])
        await self.house.settles()
        assert "в списке сотрудников" in self.private(user)[-1]
        return self.group.owner if user == self.group.owner.user else await self.group.join(user)

    def private(self, user):
        return self.house.vendors.telegram.people.texts_from_bot(self.bot, user.id)

    async def says(self, member, text, topic=None):
        """Write in the group; return the last thing that the bot has said there."""
        await member.write(text, topic=topic)
        await self.house.settles()
        said = self.group.texts_from_bot(topic)
        return said[-1] if said else ""

    async def whispers(self, user, text):
        """Write to the bot in private; return the last thing that it has said there."""
        await self.house.vendors.telegram.people.send_text(self.bot, user, text)
        await self.house.settles()
        return self.private(user)[-1]

    def button(self, label):
        """Find the latest button with these words, wherever in the group."""
        for message in reversed(self.group.all_messages()):
            for one in buttons_of(message):
                if label in one["text"]:
                    return message, one["callback_data"]
        raise AssertionError(f"no button {label!r}: {[one.text for one in self.group.all_messages()]}")

    async def presses(self, member, label):
        message, data = self.button(label)
        await member.press(message, data)
        await self.house.settles()
        return message

    async def sees(self):
        """Let what is new be shown to staff; what had to rest meanwhile, too."""
        for seconds in (5, 15):
            await self.house.settles()
            self.house.clock.advance(timedelta(seconds=seconds))
            await self.house.settles(people=True)
        await self.house.settles()

    def everything(self):
        return "\n".join(one.text for one in self.group.all_messages())


@pytest.fixture
async def shift(house):
    bot = house.bots[house.company_id]
    group = house.vendors.telegram.group("Смена", owner=OLGA, forum=True)
    rights = {"can_manage_topics": True, "can_pin_messages": True, "can_restrict_members": True}
    await group.add_bot(bot, administrator=True, **rights)
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    branches = [replace(one, staff_chat=str(group.id)) for one in snapshot.branches]
    await house.core.companies.replace_company(snapshot.company, snapshot.agent, branches)
    house.core.directory.forget(house.company_id)
    return Shift(house, group)


@pytest.fixture
async def hooks(house, shift):
    """The CRM's webhooks, switched on."""
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    token = await house.core.companies.make_crm_hook(house.company_id, snapshot.branches[0].id)
    sent = house.vendors.yclients.journal.hooks
    sent.settings[ELITA_ID] = {"urls": [f"{house.url}/api/v1/crm/webhook/{token}"], "active": 1, "record": 1}
    yield sent
    await sent.settle()


@pytest.fixture
async def maria(shift):
    return await shift.enrol(MARIA, Role.ADMINISTRATOR)


async def test_a_paused_companys_clients_go_to_people_until_somebody_lets_the_agent_answer_again(shift, maria, house):
    assert "на паузе" in await shift.says(maria, "/pause")
    client = house.client()

    told = await client.says("Сколько стоит окрашивание?")
    assert "ответит администратор" in told.text
    assert "8000" not in told.text
    await shift.sees()
    [topic] = shift.group.topics
    assert "Сколько стоит окрашивание?" in "\n".join(shift.group.texts(topic))
    assert "⏸ Помощник на паузе" in await shift.says(maria, "/today")

    count = len(client.heard)
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Алло?")
    await shift.sees()
    assert len(client.heard) == count
    assert "Алло?" in "\n".join(shift.group.texts(topic))
    await shift.says(maria, "Здравствуйте! Окрашивание от 8000", topic)
    assert client.heard[-1] == "Здравствуйте! Окрашивание от 8000"

    assert "снова отвечает" in await shift.says(maria, "/resume")
    assert "8000 руб." in (await house.client("Зоя").says("Сколько стоит окрашивание?")).text


async def test_a_client_of_a_paused_company_may_still_have_their_data_erased(shift, maria, house):
    client = house.client()
    await client.says("Здравствуйте")
    await shift.says(maria, "/pause")

    asked = await client.says("/delete_me")

    assert "Удалить всё" in asked.text
    assert "удалены" in (await client.presses("Да, удалить")).text


async def test_a_booking_that_was_confirmed_before_the_pause_stands_and_one_that_was_only_shown_is_void(
    shift, maria, house
):
    client = house.client()
    await client.reaches_proposal()
    await shift.says(maria, "/pause")

    answer = await client.presses("Да, записать")

    assert "ответит администратор" in answer.text
    assert house.records() == []


async def test_what_a_note_says_is_in_the_models_instructions_once_the_owner_has_tapped(shift, maria, house):
    owner = await shift.enrol(OLGA, Role.OWNER)
    note = "В субботу работаем до 18:00, стрижка в этот день 2400 руб."

    await shift.says(maria, f"/note {note}")
    assert note in shift.private(OLGA)[-1]
    await house.client().says("Здравствуйте, подскажите, пожалуйста")
    assert note not in str(house.vendors.gemini.requests[-1].body)
    await shift.presses(maria, "Ввести в силу")
    assert "решает владелец" in shift.group.texts_from_bot()[-1]

    message = await shift.presses(owner, "Ввести в силу")
    assert "в силе" in shift.group.texts_from_bot()[-1]
    assert buttons_of(message) == []
    await house.client().says("Здравствуйте, подскажите, пожалуйста")
    system = str(house.vendors.gemini.requests[-1].body)
    assert "ДОПОЛНЕНИЯ СОТРУДНИКОВ" in system
    assert note in system

    assert "снята" in await shift.says(owner, "/undo")
    await house.client().says("Здравствуйте, подскажите, пожалуйста")
    assert note not in str(house.vendors.gemini.requests[-1].body)


async def test_who_is_not_enrolled_is_told_so_once_an_hour_and_nothing_is_done(shift, house):
    stranger = await shift.group.join(STRANGER)

    assert "нет в списке сотрудников" in await shift.says(stranger, "/pause")
    await shift.says(stranger, "/today")
    await shift.says(stranger, "просто разговор")
    assert len(shift.group.texts_from_bot()) == 1
    assert (await house.core.companies.get_snapshot(house.company_id)).company.paused_at is None

    house.clock.advance(timedelta(hours=1))
    await shift.says(stranger, "/resume")
    assert len(shift.group.texts_from_bot()) == 2


async def test_the_day_shows_what_was_booked_and_whole_numbers_in_private_alone(shift, maria, house):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")

    in_group = await shift.says(maria, "/today")
    in_private = await shift.whispers(MARIA, "/today")

    assert "Помощник записал: 1, перенёс: 0, отменил: 0" in in_group
    assert "Стрижка женская, Анна Смирнова" in in_group
    assert client.phone not in in_group
    assert client.phone in in_private
    async with house.core.database.company(house.company_id) as tx:
        views = [one for one in await house.core.audit.list_entries(tx) if one.action == "phone.view"]
    assert [one.actor for one in views] == [f"staff telegram:{MARIA.id}"]


async def test_a_group_is_shown_no_whole_number_and_who_may_see_it_gets_it_in_private(shift, maria, house):
    master = await shift.enrol(ANNA, Role.MASTER)
    client = house.client()
    await client.says("Здравствуйте")
    await client.shares_contact()
    await client.says("Позовите человека")
    await shift.sees()
    assert client.phone not in shift.everything()
    assert all(client.phone not in topic.name for topic in shift.group.topics)

    heard = len(shift.private(ANNA))
    await shift.presses(master, "Показать номер")
    assert "не входит в ваши права" in shift.everything()
    assert len(shift.private(ANNA)) == heard

    await shift.presses(maria, "Показать номер")
    assert client.phone in shift.private(MARIA)[-1]
    assert client.phone not in shift.everything()


async def test_who_is_late_reaches_the_group_at_once_and_reads_what_was_pressed(shift, maria, house):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    house.clock.advance(timedelta(days=1, hours=2, minutes=50))

    answer = await client.says("Я опаздываю на 15 минут")
    await house.settles()

    notice = next(one.text for one in reversed(shift.group.all_messages()) if "Опаздывает" in one.text)
    assert "среда, 25 ноября, 15:00, Стрижка женская, Анна Смирнова" in notice
    assert "После этой записи мастер свободен: 5 часов (до 21:00)" in notice
    assert "ждут" not in answer.text
    await shift.presses(maria, "Сократим")
    assert "придётся сократить" in client.heard[-1]
    assert "Мария: клиенту отправлено" in shift.group.texts_from_bot()[-1]
    with pytest.raises(AssertionError, match="no button"):
        shift.button("Ждём")


async def test_who_is_late_before_another_client_is_told_to_staff_with_the_next_ones_time(shift, maria, house):
    first = await booked(house, "15:00")
    await booked(house, "16:00")
    house.clock.advance(timedelta(days=1, hours=2, minutes=50))

    await first.says("Я опаздываю на 15 минут")
    await house.settles()

    notice = next(one.text for one in reversed(shift.group.all_messages()) if "Опаздывает" in one.text)
    assert "Сразу после этой записи свободного времени у мастера нет." in notice
    assert "16:00" in notice


async def test_a_removal_puts_somebody_out_of_everything_by_one_command(shift, maria, house):
    gone, _ = await remove(house.core, house.company_id, "Мария")
    [done] = await put_out_of_groups(house.core, house.company_id, gone.telegram_user_id)

    assert (done.chat, done.refused) == (str(shift.group.id), None)
    assert maria.standing.status == "kicked"
    assert "нет в списке сотрудников" in await shift.whispers(MARIA, "/pause")
    assert (await house.core.companies.get_snapshot(house.company_id)).company.paused_at is None


async def test_a_removal_says_where_the_bot_may_not_put_anybody_out(shift, maria, house):
    await shift.group.add_bot(shift.bot, administrator=True, can_manage_topics=True)

    [done] = await put_out_of_groups(house.core, house.company_id, MARIA.id)

    assert "not enough rights" in done.refused
    assert maria.standing.status == "member"


# ---- a master's day that cannot be held


async def list_of(shift):
    """The list as the group shows it now, after the time that it takes to be brought up to date."""
    house = shift.house
    house.clock.advance(timedelta(minutes=1))
    await house.settles(people=True)
    await house.settles()
    return next(one for one in reversed(shift.group.all_messages()) if "записей" in one.text)


async def booked(house, at="15:00"):
    client = house.client()
    await client.reaches_proposal(at)
    await client.presses("Да, записать")
    return client


async def test_a_sick_masters_clients_are_offered_another_master_and_the_list_follows(shift, maria, house):
    client, other = await booked(house, "15:00"), await booked(house, "16:00")

    proposed = await shift.says(maria, "/sick анна завтра")
    assert "Анна Смирнова, среда, 25 ноября: записей 2" in proposed
    assert client.phone not in proposed
    assert "Закройте день мастера в CRM" in proposed
    assert len(client.heard) == len(other.heard), "nobody is asked before the tap"

    await shift.presses(maria, "Предложить клиентам")
    assert "Анна Смирнова не сможет принять вас: среда, 25 ноября, 15:00" in client.heard[-1]
    assert "спросили, ждём ответа" in (await list_of(shift)).text
    assert [record["staff_id"] for record in house.records()] == [house.records()[0]["staff_id"]] * 2

    question = await client.presses("В то же время у другого мастера")
    assert "Мария Иванова" in question.text
    assert "выбирает" in (await list_of(shift)).text
    await client.presses("Да")
    shown = await list_of(shift)
    assert "✅ перенесена: среда, 25 ноября, 15:00, Мария Иванова" in shown.text
    assert "16:00, Стрижка женская" in shown.text

    house.clock.advance(timedelta(minutes=30))
    shown = await list_of(shift)
    assert "Позвонить: 1" in shown.text
    assert "📞 нужно позвонить" in shown.text
    await shift.presses(maria, "Кому звонить")
    assert other.phone in shift.private(MARIA)[-1]
    assert client.phone not in shift.private(MARIA)[-1]


async def test_a_client_may_choose_another_time_or_to_cancel_whatever_the_salons_deadlines(shift, maria, house):
    first, second = await booked(house, "15:00"), await booked(house, "16:00")
    await shift.says(maria, "/sick Анна Смирнова 25.11")
    await shift.presses(maria, "Предложить клиентам")

    asked = await first.presses("Другое время")
    assert "К какому мастеру?" in asked.text
    await second.presses("Отменить запись")
    await second.presses("Да")

    assert "➖ отменена" in (await list_of(shift)).text
    assert len(house.records()) == 1


async def test_a_list_that_is_not_wanted_asks_nobody(shift, maria, house):
    client = await booked(house)
    count = len(client.heard)
    await shift.says(maria, "/sick Анна завтра")

    await shift.presses(maria, "Не нужно")

    assert len(client.heard) == count
    with pytest.raises(AssertionError, match="no button"):
        shift.button("Предложить клиентам")


async def test_what_cannot_be_read_or_is_not_known_is_said(shift, maria):
    assert "/sick Анна 25.11" in await shift.says(maria, "/sick")
    assert "/sick Анна 25.11" in await shift.says(maria, "/sick Анна вчера")
    assert "У мастера Анна на среда, 25 ноября записей нет" in await shift.says(maria, "/sick Анна завтра")


async def test_several_cancellations_of_one_master_in_the_crm_put_the_list_before_staff_by_themselves(
    shift, maria, house, hooks
):
    clients = [await booked(house, at) for at in ("15:00", "16:00", "17:00")]
    crm, records = house.salon_staff(), [str(record["id"]) for record in house.records()]
    await hooks.settle()
    await house.settles(crm=True)

    async def cancelled(record):
        crm.cancel_by_hand(record)
        await hooks.settle()
        await house.settles(crm=True)
        await house.settles()
        house.clock.advance(timedelta(minutes=2))

    for record in records[:2]:
        await cancelled(record)
    assert "отменили в CRM одну за другой" not in shift.everything()
    await cancelled(records[2])
    assert "записей 3" in shift.everything()
    assert "отменили в CRM одну за другой" in shift.everything()

    await shift.presses(maria, "Предложить клиентам")
    assert "Можем предложить взамен" in clients[0].heard[-1]
    await clients[0].presses("В то же время у другого мастера")
    await clients[0].presses("Да, записать")
    assert "✅ записался снова" in (await list_of(shift)).text
    assert len(house.records()) == 1


async def test_a_command_with_a_slip_and_one_to_another_bot_do_not_reach_the_client(shift, maria, house):
    client = house.client()
    await client.says("Позовите человека")
    await shift.sees()
    [topic] = shift.group.topics
    count = len(client.heard)

    assert "Этой команды здесь нет" in await shift.says(maria, "/bakc", topic)
    said = len(shift.group.texts_from_bot(topic))
    await shift.says(maria, "/pause@another_bot", topic)

    assert len(client.heard) == count
    assert len(shift.group.texts_from_bot(topic)) == said
    assert (await house.core.companies.get_snapshot(house.company_id)).company.paused_at is None
    assert "на паузе" in await shift.says(maria, "/pause@elita_bot", topic)


async def test_who_calls_a_paused_company_is_passed_on_to_a_person(shift, maria, house):
    await shift.says(maria, "/pause")

    async with await house.phone(transfer_to="+74957654321") as phone:
        await phone.asks("Сколько стоит окрашивание?")
        await phone.is_hung_up_on()

    assert json.loads(phone.handoff) == {"reason": "transfer", "transfer": "+74957654321"}


async def test_who_calls_a_paused_company_in_vain_may_leave_a_message(shift, maria, house):
    await shift.says(maria, "/pause")
    phone = await house.phone(transfer_to="+74957654321")
    house.clock.now = house.clock.now.replace(hour=22)

    async with phone:
        asked = await phone.asks("Сколько стоит окрашивание?")
        taken = await phone.asks("Перезвоните мне после шести")

    assert asked != taken
    await house.settles()
    assert "Перезвоните мне после шести" in shift.everything()
