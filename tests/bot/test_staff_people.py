"""Whom staff's answers concern: clients who are late, who belongs to the staff, and a day that cannot be held."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from house_staff import GROUP, OTHER_GROUP, PHONE, button
from sqlalchemy import select

from bot.staff_late import COUNTS_FOR, made_at
from bot.staff_members import invite, list_members, remove
from db.booking_records import IntentKind
from db.clients import Clients
from db.dialogues import Dialogues
from db.errors import Conflict, NotFound
from db.handovers import Handovers
from db.models import messages
from db.outbox import Outbox
from db.records import (
    Author,
    ChannelType,
    dialogue_id_of,
    new_id,
)
from db.staff import Role, Staff
from db.strangers_told import TOLD_EVERY, may_tell_stranger
from handlers.staff_notices import chat_with
from orchestration.lateness import LateAnswer
from orchestration.staff_press import About, StaffPress
from orchestration.staff_words import StaffCommand

# ---- who is late, and whole numbers


def late(client, answer, id_=None):
    return StaffPress(About.LATE, answer, (client.id, id_ or new_id())).action()


@pytest.mark.parametrize(
    ("answer", "words"),
    [(LateAnswer.WAIT, "вас ждут."), (LateAnswer.SHORTEN, "придётся сократить"), (LateAnswer.MOVE, "нужно перенести")],
)
async def test_a_late_client_is_told_what_was_pressed_and_the_agent_knows_it(salon, clock, answer, words):
    clock.now = made_at(new_id())
    client = await salon.client(language="ru")

    told = await salon.says("Анна", action=late(client, answer))

    [(chat, payload, author)] = await salon.sent()
    assert (chat, author) == ("5", "person")
    assert words in payload["text"]
    assert bool(payload.get("buttons")) is (answer is LateAnswer.MOVE)
    assert payload["text"] in told.text
    assert told.closes
    assert PHONE not in told.text
    async with salon.core.database.company(salon.company_id) as tx:
        [row] = (await tx.connection.execute(select(messages.c.author, messages.c.text))).all()
    assert tuple(row) == ("person", payload["text"])
    [entry] = await salon.audited("late.answer")
    assert entry.after == {"answer": answer.value}


async def test_the_first_answer_counts_and_a_second_tells_nobody_anything(salon, clock):
    clock.now = made_at(new_id())
    client, notice = await salon.client(), new_id()
    await salon.says("Анна", action=late(client, LateAnswer.WAIT, notice))

    second = await salon.says("Мария", action=late(client, LateAnswer.MOVE, notice))

    assert "уже ответили: «Ждём»" in second.text
    assert len(await salon.sent()) == 1


async def test_an_answer_a_day_later_or_about_nobody_is_none(salon, clock):
    client, notice = await salon.client(), new_id()
    clock.now = made_at(notice) + COUNTS_FOR + timedelta(seconds=1)

    old = await salon.says("Анна", action=late(client, LateAnswer.WAIT, notice))
    strange = await salon.says("Анна", action=late(replace(client, id=new_id()), LateAnswer.WAIT))

    assert "уже не действует" in old.text
    assert "уже не действует" in strange.text
    assert await salon.sent() == []


async def test_a_whole_number_is_sent_to_who_pressed_for_it_in_private(salon):
    client = await salon.client()
    press = StaffPress(About.PHONE, "show", (client.id,)).action()

    answer = await salon.says("Мария", action=press)

    [(chat, payload, _)] = await salon.sent()
    assert (chat, payload["text"]) == (str(salon.people["Мария"]), f"Елена, {PHONE}")
    assert PHONE not in answer.text
    [entry] = await salon.audited("phone.view")
    assert entry.subject == f"dialogue {client.id}"
    assert "не входит в ваши права" in (await salon.says("Анна", action=press)).text
    assert len(await salon.sent()) == 1


# ---- who belongs to it


async def test_strangers_in_a_chat_are_told_once_an_hour(salon, clock):
    chat, other = chat_with(salon.channel, GROUP).id, chat_with(salon.channel, OTHER_GROUP).id

    async def told(where):
        async with salon.core.database.company(salon.company_id) as tx:
            return await may_tell_stranger(tx, where, now=clock())

    assert [await told(chat), await told(chat), await told(other)] == [True, False, True]
    clock.advance(TOLD_EVERY - timedelta(seconds=1))
    assert not await told(chat)
    clock.advance(timedelta(seconds=1))
    assert await told(chat)


async def test_a_dismissal_ends_everything_at_once(salon, clock):
    """Also what would still be shown in a chat of their own: the staff chat of a branch may be one person's."""
    core, user = salon.core, salon.people["Мария"]
    own = chat_with(salon.channel, str(user))
    snapshot = await core.companies.get_snapshot(salon.company_id)
    branches = [replace(snapshot.branches[0], staff_chat=str(user)), snapshot.branches[1]]
    await core.companies.replace_company(snapshot.company, snapshot.agent, branches)
    client = await salon.client()
    async with core.database.company(salon.company_id) as tx:
        await Handovers().open(
            tx,
            client,
            dialogues=[client.id],
            staff_chat=own,
            reason="asked_for",
            now=clock(),
            at_once=True,
            client_waits=True,
        )
        await Outbox(clock).put(tx, own, [{"text": "о клиенте"}], turn_id=None, author=Author.SYSTEM)

    gone, left = await remove(core, salon.company_id, "мария")

    assert (gone.name, list(left)) == ("Мария", ["center"])
    async with core.database.company(salon.company_id) as tx:
        assert await Staff().find(tx, user) is None
        assert (await Handovers().find(tx, client.id)).staff_chat is None
        assert await Outbox(clock).list_waiting(tx, own.id, limit=5) == []
    assert (await core.companies.get_snapshot(salon.company_id)).branches[0].staff_chat is None
    assert [one.name for one in await list_members(core, salon.company_id)] == ["Ольга", "Анна"]
    [entry] = await salon.audited("staff.remove")
    assert entry.after == {"dismissed": True, "branch.center.staff_chat": None}


async def test_somebody_is_named_by_an_id_a_telegram_id_or_a_name_that_only_they_have(salon):
    second = await salon.enrol("Анна", Role.MASTER)

    with pytest.raises(Conflict, match="several"):
        await remove(salon.core, salon.company_id, "Анна")
    with pytest.raises(NotFound, match="nobody"):
        await remove(salon.core, salon.company_id, "Никто")
    gone, _ = await remove(salon.core, salon.company_id, str(second.id))
    other, _ = await remove(salon.core, salon.company_id, str(salon.people["Мария"]))

    assert (gone.id, other.name) == (second.id, "Мария")


async def test_a_place_is_made_only_for_what_there_is(salon):
    with pytest.raises(NotFound, match="center, east"):
        await invite(salon.core, salon.company_id, name="x", role=Role.ADMINISTRATOR, branches=["west"])
    with pytest.raises(Conflict, match="all branches"):
        await invite(salon.core, salon.company_id, name="x", role=Role.OWNER, branches=["east"])
    with pytest.raises(Conflict, match="only a master"):
        await invite(salon.core, salon.company_id, name="x", role=Role.ADMINISTRATOR, crm_staff_id="9")

    made = await invite(salon.core, salon.company_id, name="x", role=Role.MASTER, crm_staff_id="9")

    assert made.links == [f"https://t.me/salon_bot?start=staff-{made.code}"]
    assert isinstance(made.member.invited_until, datetime)
    assert made.code not in str(await salon.audited("staff.invite"))


async def test_the_way_into_the_console_is_told_in_private_alone(salon):
    in_group = await salon.says("Ольга", StaffCommand.CONSOLE)
    alone = await salon.says("Ольга", StaffCommand.CONSOLE, private=True)

    assert "/enter/" not in in_group.text
    assert "личный чат" in in_group.text
    assert "/console/enter/" in alone.text


# ---- a master's day


async def test_who_works_at_two_branches_has_a_list_at_each_and_an_administrator_sees_their_own(salon, clock):
    await salon.enrol("Пётр", Role.ADMINISTRATOR, branches=["east"])
    elena = await salon.client()
    noon = clock() + timedelta(hours=15)
    await salon.wrote(IntentKind.CREATE, elena, record="1", starts_at=noon)
    await salon.wrote(IntentKind.CREATE, elena, record="2", branch=1, starts_at=noon)

    answer = await salon.says("Мария", StaffCommand.SICK, "Анна 25.11")
    [(chat, payload, _)] = await salon.sent()
    own = await salon.says("Пётр", StaffCommand.SICK, "Анна 25.11", private=True)

    assert chat == GROUP
    assert payload["text"].startswith("Анна (Центр), среда, 25 ноября: записей 1")
    assert answer.text.startswith("Анна (Восток), среда, 25 ноября: записей 1")
    assert own.text.startswith("Анна (Восток)")
    assert len(await salon.sent()) == 1


async def test_an_administrator_of_another_branch_decides_nothing_about_a_day(salon, clock):
    await salon.enrol("Пётр", Role.ADMINISTRATOR, branches=["east"])
    elena = await salon.client()
    await salon.wrote(IntentKind.CREATE, elena, starts_at=clock() + timedelta(hours=24))
    proposed = await salon.says("Мария", StaffCommand.SICK, "Анна завтра")

    foreign = await salon.says("Пётр", action=button(proposed))
    before = await salon.sent()
    approved = await salon.says("Мария", action=button(proposed))
    again = await salon.says("Ольга", action=button(proposed))

    assert "уже не действует" in foreign.text
    assert before == []
    assert "предложено клиентов: 1" in approved.text
    assert "Уже решено (Мария)" in again.text
    assert len(await salon.sent()) == 1
    [entry] = await salon.audited("sick.approve")
    assert entry.after == {"master": "Анна", "day": "2026-11-25", "asked": 1}


async def test_a_client_who_only_phoned_is_asked_in_the_messenger_that_knows_their_number_else_phoned(salon, clock):
    """What was booked by telephone has no chat of its own; a typed number is nobody's."""
    voice, _ = await salon.core.companies.add_channel(
        salon.company_id, ChannelType.VOICE, external_id="+7", name="+7", options={}, secrets={}
    )
    async with salon.core.database.company(salon.company_id) as tx:
        called = await Dialogues().open_dialogue(
            tx, channel_id=voice.id, dialogue_id=dialogue_id_of(voice.id, "CA1"), key="CA1", now=clock()
        )
    known = replace(called, client_name="Елена", proved_phone=PHONE)
    messenger = await salon.client()
    async with salon.core.database.company(salon.company_id) as tx:
        await Clients().link(tx, messenger)
    await salon.wrote(IntentKind.CREATE, known, record="1")
    await salon.wrote(IntentKind.CREATE, replace(known, client_name="Зоя"), record="2", phone="+79160000099")

    proposed = await salon.says("Мария", StaffCommand.SICK, "Анна завтра")
    approved = await salon.says("Мария", action=button(proposed))

    [(chat, payload, _)] = await salon.sent()
    assert (chat, payload["buttons"][0][0]["action"].split(":")[:2]) == ("5", ["sick", "same"])
    assert "предложено клиентов: 1" in approved.text
    phones = await salon.says("Мария", action=proposed.buttons[1][0].action, private=True)
    [zoya, unseen] = phones.text.splitlines()
    assert zoya == "Зоя, +79160000099"
    assert "CRM ему не видны" in unseen
    assert len(await salon.audited("phone.view")) == 1
