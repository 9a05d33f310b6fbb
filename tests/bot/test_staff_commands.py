"""What staff ask in their chat, over a real database: what is kept, what is told to whom, what is written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.console.links import ConsoleLinks, console_address
from bot.staff_ask import StaffAnswer, StaffAsk
from bot.staff_commands import StaffCommands
from bot.staff_late import COUNTS_FOR, made_at
from bot.staff_members import invite, list_members, remove
from db.agent_notes import MOST_IN_FORCE, MOST_PROPOSED
from db.appointments import Appointments
from db.booking_records import BookedAppointment, Intent, IntentKind, IntentStatus
from db.clients import Clients
from db.dialogues import Dialogues
from db.errors import Conflict, NotFound
from db.handovers import Handovers
from db.intents import Intents
from db.models import messages
from db.outbox import Outbox
from db.outbox_models import replies
from db.records import (
    AgentSettings,
    Author,
    Branch,
    BranchId,
    Channel,
    ChannelType,
    Company,
    CompanyId,
    dialogue_id_of,
    new_id,
)
from db.staff import Role, Staff
from db.strangers_told import TOLD_EVERY, may_tell_stranger
from handlers.staff_notices import chat_with
from orchestration.lateness import LateAnswer
from orchestration.scope import CompanyScope
from orchestration.staff_press import About, StaffPress
from orchestration.staff_words import StaffCommand, StaffWord

GROUP, OTHER_GROUP = "-100500", "-100600"
PHONE = "+79161234567"


@dataclass
class Salon:
    """A company with two branches, and its people."""

    core: object
    clock: object
    channel: Channel
    branches: tuple[Branch, ...]
    people: dict[str, int]

    @property
    def company_id(self):
        return self.channel.company_id

    async def scope(self):
        return CompanyScope(snapshot=await self.core.companies.get_snapshot(self.company_id), open_crm=None)

    async def enrol(self, name, role, **more):
        """Let somebody come in; their Telegram id is by the order of coming."""
        made = await invite(self.core, self.company_id, name=name, role=role, **more)
        self.people[name] = 1000 + len(self.people)
        async with self.core.database.company(self.company_id) as tx:
            await Staff().enrol(tx, made.code, telegram_user_id=self.people[name], now=self.clock())
        return made.member

    async def says(self, name, command=None, argument="", *, action=None, private=False) -> StaffAnswer | None:
        """Ask something in the group, or in private."""
        user = self.people[name]
        word = StaffWord(
            message_id=str(new_id()),
            sent_at=self.clock(),
            author=user,
            private=private,
            command=command,
            argument=argument,
            action=action,
            press_id="p" if action else None,
        )
        audit = self.core.audit
        links = ConsoleLinks(console_address(self.core.settings), audit, self.clock)
        commands = StaffCommands(Outbox(self.clock), Staff(), Handovers(), Dialogues(), audit, links)
        scope = await self.scope()
        async with self.core.database.company(self.company_id) as tx:
            member = await Staff().find(tx, user)
            where = chat_with(self.channel, str(user) if private else GROUP)
            return await commands.run(
                StaffAsk(tx=tx, bot=self.channel, scope=scope, where=where, member=member, word=word, now=self.clock())
            )

    async def client(self, key="5:5:", **more):
        """A client with a dialogue."""
        async with self.core.database.company(self.company_id) as tx:
            dialogue = await Dialogues().open_dialogue(
                tx,
                channel_id=self.channel.id,
                dialogue_id=dialogue_id_of(self.channel.id, key),
                key=key,
                now=self.clock(),
            )
            named = replace(dialogue, **{"client_name": "Елена", "proved_phone": PHONE, **more})
            await Dialogues().save_dialogue(tx, named)
        return named

    async def wrote(self, kind, dialogue, *, at=None, branch=0, record="1", **more):
        """Let the agent have written something into the CRM."""
        branch_id = self.branches[branch].id
        intent = Intent(
            id=new_id(),
            company_id=self.company_id,
            dialogue_id=dialogue.id,
            branch_id=branch_id,
            kind=kind,
            external_id=str(new_id()),
            action={},
            status=IntentStatus.CONFIRMED,
            created_at=self.clock(),
        )
        booked = BookedAppointment(
            id=new_id(),
            company_id=self.company_id,
            branch_id=branch_id,
            dialogue_id=dialogue.id,
            crm_record_id=record,
            external_id=intent.external_id,
            **{
                "starts_at": self.clock() + timedelta(days=1),
                "duration": timedelta(hours=1),
                "service_names": ("Стрижка",),
                "staff_name": "Анна",
                "staff_id": "99",
                "client_name": dialogue.client_name,
                "visitor_name": None,
                "phone": dialogue.proved_phone or "",
                "phone_proved": True,
                **more,
            },
        )
        async with self.core.database.company(self.company_id) as tx:
            await Appointments().save(tx, booked)
            await Intents().create(tx, intent)
            await Intents().mark_called(tx, intent.id, at=at or self.clock())
            await Intents().mark_done(tx, intent.id, crm_record_id=record, at=at or self.clock())

    async def sent(self):
        """What waits to be sent: by the chat's key, in order."""
        async with self.core.database.company(self.company_id) as tx:
            rows = await tx.connection.execute(
                select(replies.c.dialogue_key, replies.c.payload, replies.c.author).order_by(replies.c.id)
            )
            return [(row.dialogue_key.partition(":")[0], row.payload, row.author) for row in rows]

    async def audited(self, action):
        async with self.core.database.company(self.company_id) as tx:
            return [one for one in await self.core.audit.list_entries(tx) if one.action == action]


@pytest.fixture
async def salon(core, clock):
    company = Company(id=CompanyId(new_id()), slug="salon", name="Салон")
    branches = (
        Branch(id=BranchId(new_id()), key="center", name="Центр", time_zone="Europe/Moscow", staff_chat=GROUP),
        Branch(id=BranchId(new_id()), key="east", name="Восток", time_zone="Asia/Vladivostok", staff_chat=OTHER_GROUP),
    )
    await core.companies.create_company(company, AgentSettings(), branches)
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="@salon_bot", options={}, secrets={}
    )
    made = Salon(core, clock, channel, branches, {})
    await made.enrol("Ольга", Role.OWNER)
    await made.enrol("Мария", Role.ADMINISTRATOR)
    await made.enrol("Анна", Role.MASTER, crm_staff_id="99")
    return made


def button(answer, place=0):
    return answer.buttons[0][place].action


# ---- pause


async def test_a_pause_stands_in_the_company_with_who_and_when_and_is_told_to_the_other_chats(salon, clock):
    answer = await salon.says("Мария", StaffCommand.PAUSE)

    company = (await salon.core.companies.get_snapshot(salon.company_id)).company
    assert (company.paused_at, company.paused_by) == (clock(), "Мария")
    assert answer.changes_company
    assert "на паузе" in answer.text
    [(chat, payload, author)] = await salon.sent()
    assert (chat, author) == (OTHER_GROUP, "system")
    assert payload["text"].startswith("Мария: помощник на паузе")
    [entry] = await salon.audited("company.pause")
    assert (entry.actor, entry.subject) == (f"staff telegram:{salon.people['Мария']}", "salon")


async def test_a_second_pause_says_who_was_first_and_changes_nothing(salon, clock):
    await salon.says("Мария", StaffCommand.PAUSE)
    first = clock()
    clock.advance(timedelta(hours=1))

    answer = await salon.says("Ольга", StaffCommand.PAUSE)

    assert "уже на паузе (Мария)" in answer.text
    assert not answer.changes_company
    assert (await salon.core.companies.get_snapshot(salon.company_id)).company.paused_at == first
    assert len(await salon.audited("company.pause")) == 1


async def test_whoever_may_lets_the_agent_answer_again(salon):
    assert "и так отвечает" in (await salon.says("Ольга", StaffCommand.RESUME)).text
    await salon.says("Мария", StaffCommand.PAUSE)

    answer = await salon.says("Ольга", StaffCommand.RESUME)

    company = (await salon.core.companies.get_snapshot(salon.company_id)).company
    assert (company.paused_at, company.paused_by) == (None, None)
    assert answer.changes_company
    assert len(await salon.audited("company.resume")) == 1


async def test_an_import_of_the_companys_file_does_not_let_a_paused_agent_answer(salon):
    await salon.says("Мария", StaffCommand.PAUSE)

    snapshot = await salon.core.companies.get_snapshot(salon.company_id)
    await salon.core.companies.replace_company(snapshot.company, snapshot.agent, snapshot.branches)

    assert (await salon.core.companies.get_snapshot(salon.company_id)).company.paused_by == "Мария"


@pytest.mark.parametrize(
    "command",
    [StaffCommand.PAUSE, StaffCommand.RESUME, StaffCommand.NOTE, StaffCommand.NOTES, StaffCommand.UNDO],
)
async def test_a_master_is_refused_what_is_not_a_masters(salon, command):
    answer = await salon.says("Анна", command, "текст")

    assert "не входит в ваши права" in answer.text
    assert not answer.changes_company
    assert (await salon.core.companies.get_snapshot(salon.company_id)).company.paused_at is None
    assert await salon.sent() == []


# ---- notes


async def test_a_note_counts_once_the_owner_has_pressed_the_button(salon, clock):
    proposed = await salon.says("Мария", StaffCommand.NOTE, "В субботу  работаем\nдо 18:00")

    snapshot = await salon.core.companies.get_snapshot(salon.company_id)
    assert snapshot.notes == ()
    assert "«В субботу работаем до 18:00» (Мария)" in proposed.text
    [(chat, payload, _)] = await salon.sent()
    assert chat == str(salon.people["Ольга"])
    assert payload["buttons"][0][0]["action"] == button(proposed)

    refused = await salon.says("Мария", action=button(proposed))
    assert "решает владелец" in refused.text
    assert not refused.closes
    assert (await salon.core.companies.get_snapshot(salon.company_id)).notes == ()

    admitted = await salon.says("Ольга", action=button(proposed), private=True)
    assert (admitted.closes, admitted.changes_company) == (True, True)
    assert (await salon.core.companies.get_snapshot(salon.company_id)).notes == ("В субботу работаем до 18:00",)
    assert "Уже решено: заметка в силе (Ольга)" in (await salon.says("Ольга", action=button(proposed, 1))).text
    assert [len(await salon.audited(one)) for one in ("note.propose", "note.admit")] == [1, 1]


async def test_a_note_that_the_owner_does_not_want_never_counts(salon):
    proposed = await salon.says("Мария", StaffCommand.NOTE, "Скидка всем")

    answer = await salon.says("Ольга", action=button(proposed, 1))

    assert (answer.closes, answer.changes_company) == (True, False)
    assert (await salon.core.companies.get_snapshot(salon.company_id)).notes == ()
    assert "Заметок нет" in (await salon.says("Ольга", StaffCommand.NOTES)).text


async def test_the_last_note_is_taken_back_and_with_it_leaves_the_instructions(salon):
    for text in ("первая", "вторая"):
        await salon.says("Ольга", action=button(await salon.says("Ольга", StaffCommand.NOTE, text)))

    answer = await salon.says("Ольга", StaffCommand.UNDO)

    assert "снята: «вторая»" in answer.text
    assert answer.changes_company
    assert (await salon.core.companies.get_snapshot(salon.company_id)).notes == ("первая",)


async def test_an_administrator_takes_back_only_what_they_wrote_themselves(salon):
    await salon.says("Мария", StaffCommand.NOTE, "моя")
    owners = await salon.says("Ольга", StaffCommand.NOTE, "владельца")
    await salon.says("Ольга", action=button(owners))

    first = await salon.says("Мария", StaffCommand.UNDO)
    second = await salon.says("Мария", StaffCommand.UNDO)

    assert "снята: «моя»" in first.text
    assert not first.changes_company
    assert "Снимать нечего" in second.text
    assert (await salon.core.companies.get_snapshot(salon.company_id)).notes == ("владельца",)


async def test_notes_are_listed_with_who_wrote_them_and_when(salon):
    await salon.says("Ольга", action=button(await salon.says("Мария", StaffCommand.NOTE, "первая")))
    await salon.says("Мария", StaffCommand.NOTE, "вторая")

    answer = await salon.says("Мария", StaffCommand.NOTES)

    assert "✅ «первая». Мария, вторник, 24 ноября, 12:00" in answer.text
    assert "⏳ (ждёт владельца) «вторая»" in answer.text


async def test_notes_are_bounded_in_length_and_number(salon):
    assert "/note В субботу" in (await salon.says("Мария", StaffCommand.NOTE, "  ")).text
    assert "слишком длинная" in (await salon.says("Мария", StaffCommand.NOTE, "я" * 501)).text

    last = None
    for number in range(MOST_IN_FORCE + 1):
        last = await salon.says("Ольга", StaffCommand.NOTE, f"заметка {number}")
        answer = await salon.says("Ольга", action=button(last))
    assert "больше нельзя" in answer.text
    assert len((await salon.core.companies.get_snapshot(salon.company_id)).notes) == MOST_IN_FORCE

    for number in range(MOST_PROPOSED):
        answer = await salon.says("Мария", StaffCommand.NOTE, f"ещё {number}")
    assert "Слишком много заметок ждут" in answer.text


# ---- the day


async def test_the_day_is_the_branchs_own_and_counts_what_the_agent_wrote(salon, clock):
    elena = await salon.client()
    # 12:00 in Moscow, 19:00 in Vladivostok: seven hours ago it was yesterday nowhere, thirteen ago only in Moscow.
    await salon.wrote(IntentKind.CREATE, elena, record="1")
    await salon.wrote(IntentKind.MOVE, elena, record="1")
    await salon.wrote(IntentKind.CREATE, elena, record="2", at=clock() - timedelta(hours=13))
    await salon.wrote(IntentKind.CREATE, elena, record="3", branch=1, at=clock() - timedelta(hours=13))
    await salon.wrote(IntentKind.CREATE, elena, record="4", branch=1, at=clock() - timedelta(hours=20))

    said = (await salon.says("Ольга", StaffCommand.TODAY, private=True)).text

    center, east = said.split("Восток: ")
    assert "Помощник записал: 1, перенёс: 1, отменил: 0" in center
    assert "Помощник записал: 1, перенёс: 0, отменил: 0" in east
    assert PHONE in said
    assert "Ответа человека никто не ждёт." in said


async def test_an_administrator_sees_their_own_branch_alone(salon):
    await salon.enrol("Пётр", Role.ADMINISTRATOR, branches=["east"])
    elena = await salon.client()
    await salon.wrote(IntentKind.CREATE, elena, record="1", client_name="Из центра")
    await salon.wrote(IntentKind.CREATE, elena, record="2", branch=1, client_name="С востока")

    said = (await salon.says("Пётр", StaffCommand.TODAY, private=True)).text

    assert "С востока" in said
    assert "Из центра" not in said


async def test_a_master_sees_their_own_visits_with_masked_numbers(salon):
    elena = await salon.client()
    await salon.wrote(IntentKind.CREATE, elena, record="1", client_name="Моя")
    await salon.wrote(IntentKind.CREATE, elena, record="2", client_name="Чужая", staff_id="7", staff_name="Ирина")

    said = (await salon.says("Анна", StaffCommand.TODAY, private=True)).text

    assert "Моя, +7••••••••67" in said
    assert "Чужая" not in said
    assert "ждёт" not in said
    assert await salon.audited("phone.view") == []


async def test_each_view_of_a_number_is_written_down_and_a_group_is_shown_none(salon):
    elena = await salon.client()
    await salon.wrote(IntentKind.CREATE, elena)

    in_group = (await salon.says("Мария", StaffCommand.TODAY)).text
    unseen = await salon.audited("phone.view")
    await salon.says("Мария", StaffCommand.TODAY, private=True)
    [entry] = await salon.audited("phone.view")

    assert PHONE not in in_group
    assert "+7••••••••67" in in_group
    assert "в личном чате с ботом" in in_group
    assert unseen == []
    assert entry.actor == f"staff telegram:{salon.people['Мария']}"
    assert entry.after == {str(elena.id): "/today"}
    assert PHONE not in str(entry)


async def test_clients_who_wait_for_a_person_are_told_the_longest_first_to_their_branch(salon, clock):
    await salon.enrol("Пётр", Role.ADMINISTRATOR, branches=["east"])
    for key, name, chat, minutes in (
        ("5:5:", "Елена", GROUP, 5),
        ("6:6:", "Зоя", GROUP, 90),
        ("7:7:", "Яна", OTHER_GROUP, 7),
    ):
        client = await salon.client(key, client_name=name)
        async with salon.core.database.company(salon.company_id) as tx:
            await Handovers().open(
                tx,
                client,
                dialogues=[client.id],
                staff_chat=chat_with(salon.channel, chat),
                reason="asked_for",
                now=clock() - timedelta(minutes=minutes),
                at_once=True,
                client_waits=True,
            )

    owners = (await salon.says("Ольга", StaffCommand.TODAY)).text
    easts = (await salon.says("Пётр", StaffCommand.TODAY)).text

    assert "Ждут ответа человека: 3" in owners
    assert owners.index("Зоя") < owners.index("Яна") < owners.index("Елена")
    assert "1 час 30 минут" in owners
    assert "Яна" in easts
    assert "Зоя" not in easts


async def test_the_day_says_who_paused_the_agent(salon):
    await salon.says("Мария", StaffCommand.PAUSE)

    assert (
        "⏸ Помощник на паузе: вторник, 24 ноября, 12:00 (Мария)" in (await salon.says("Ольга", StaffCommand.TODAY)).text
    )


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
    assert phones.text == "Зоя, +79160000099"
    assert len(await salon.audited("phone.view")) == 1
