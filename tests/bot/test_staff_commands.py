"""What staff ask in their chat, over a real database: what is kept, what is told to whom, what is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from house_staff import GROUP, OTHER_GROUP, PHONE, button

from db.agent_notes import MOST_IN_FORCE, MOST_PROPOSED
from db.booking_records import IntentKind
from db.handovers import Handovers
from db.staff import Role
from handlers.staff_notices import chat_with
from orchestration.staff_words import StaffCommand

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
