"""What crosses a failure: CRM writes and replies. These wait for a condition under a deadline; nothing tells them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select

from db.booking_models import intents
from db.booking_records import IntentStatus
from db.models import sessions, work
from db.outbox_models import replies


async def rows_of(house, column):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(column).where(column.table.c.company_id == house.company_id))
        return sorted(row[0] for row in rows if row[0] is not None)


async def resting(house, kind):
    """Say whether work of this kind waits, unheld, for a later moment."""
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(
            select(work.c.dialogue_id).where(
                work.c.company_id == house.company_id,
                work.c.kind == kind,
                work.c.lease_until.is_(None),
                work.c.due_at > house.clock(),
            )
        )
        return rows.all()


async def test_a_write_that_the_crm_made_but_did_not_answer_is_found_and_not_made_again(house):
    client = house.client()
    await client.reaches_proposal()
    house.vendors.yclients.fail_next("/records/", method="POST", cut_after=True)

    receipt = await client.presses("Да, записать")

    assert "Готово" in receipt.text
    assert len(house.records()) == 1
    assert await rows_of(house, intents.c.status) == [IntentStatus.DONE]


async def test_a_write_whose_fate_is_unknown_is_tried_again_only_after_its_time_limit(house, until):
    client = house.client()
    await client.reaches_proposal()
    house.vendors.yclients.fail_next("/records/", method="POST", cut_before=True)
    people = house.vendors.telegram.people
    message, data = client.button("Да, записать")
    count = len(client.heard)

    await people.press_button(client.bot_id, client.user, message.message_id, data)
    await until(lambda: resting(house, "turn"))
    assert len(client.heard) == count
    assert house.records() == []

    house.clock.advance(timedelta(seconds=41))
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert "Готово" in client.heard[-1]
    assert len(house.records()) == 1


async def test_a_yes_in_words_is_carried_out_whatever_the_client_writes_while_its_fate_is_unknown(house, until):
    """The words that came later were one turn with the yes, which then was none: nobody looked for the record."""
    client = house.client()
    await client.reaches_proposal()
    house.vendors.yclients.fail_next("/records/", method="POST", cut_before=True)
    people = house.vendors.telegram.people
    count = len(client.heard)

    await people.send_text(client.bot_id, client.user, "Да")
    await until(lambda: resting(house, "turn"))
    await people.send_text(client.bot_id, client.user, "Сколько стоит окрашивание?")
    await until(lambda: resting(house, "turn"))
    house.clock.advance(timedelta(seconds=41))
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) >= count + 2)

    assert "Готово" in client.heard[count]
    assert "8000" in client.heard[count + 1]
    assert len(house.records()) == 1
    assert await rows_of(house, intents.c.status) == [IntentStatus.DONE]


async def test_a_visit_that_staff_deleted_before_it_was_looked_up_is_not_told_as_booked(house, until):
    client = house.client()
    await client.reaches_proposal()
    crm, people = house.vendors.yclients, house.vendors.telegram.people
    crm.fail_next("/records/", method="POST", cut_after=True)
    crm.fail_next("/records/", method="GET", times=20, status=500)
    message, data = client.button("Да, записать")
    count = len(client.heard)

    await people.press_button(client.bot_id, client.user, message.message_id, data)
    await until(lambda: resting(house, "turn"))
    [record] = house.records()
    record["deleted"] = True
    crm.clear_faults()
    house.clock.advance(timedelta(seconds=41))
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert "Готово" not in client.heard[-1]
    assert house.records() == []
    assert await rows_of(house, intents.c.status) == [IntentStatus.REFUSED]


async def test_a_client_who_blocked_the_bot_is_marked_until_they_unblock_it_or_write_again(house, until):
    client = house.client()
    await client.says("Здравствуйте")
    people = house.vendors.telegram.people

    async def is_marked():
        return bool(await rows_of(house, sessions.c.unreachable_at))

    async def is_not_marked():
        return not await is_marked()

    async def one_is_lost():
        return await rows_of(house, replies.c.status) == ["failed", "sent"] and await is_marked()

    await people.block_bot(client.bot_id, client.user)
    await until(is_marked)
    await people.unblock_bot(client.bot_id, client.user)
    await until(is_not_marked)

    client.chat.blocked = True
    await people.send_text(client.bot_id, client.user, "Сколько стоит окрашивание?")
    await until(one_is_lost)

    client.chat.blocked = False
    assert (await client.says("Вы работаете завтра?")).text
    assert not await is_marked()


async def test_flood_control_is_obeyed(house, until):
    client = house.client()
    house.vendors.telegram.fail_next("sendmessage", code=429, retry_after=2)
    people = house.vendors.telegram.people

    await people.send_text(client.bot_id, client.user, "Здравствуйте")
    await until(lambda: resting(house, "delivery"))
    assert client.heard == []
    house.clock.advance(timedelta(seconds=3))
    await people.wait_for(client.bot_id, client.user.id, lambda _: bool(client.heard))

    assert len(client.heard) == 1


async def test_a_yes_in_words_to_a_question_that_is_still_on_its_way_books_nothing(house):
    """The client saw the first question only: their "да" is to that one, and the second is put to them again."""
    client = house.client()
    await client.reaches_proposal()
    telegram = house.vendors.telegram
    telegram.fail_next("sendmessage", times=100, code=500)
    await telegram.people.send_text(client.bot_id, client.user, "Нет, лучше в 17:00")
    await settles_turns(house)
    await telegram.people.send_text(client.bot_id, client.user, "да")
    await settles_turns(house)

    assert house.records() == []

    telegram.clear_faults()
    await house.settles_with_time()
    assert [("17:00" in said, "Записать вас?" in said) for said in client.heard[-2:]] == [(True, True)] * 2
    assert house.records() == []


async def settles_turns(house):
    """Wait until every turn is made, whatever becomes of its replies."""
    telegram = house.vendors.telegram
    async with asyncio.timeout(20):
        while True:
            due = await due_now(house, "turn")
            if not due and not any(bot.updates for bot in telegram.state.bots.values()):
                return
            await asyncio.sleep(0.05)


async def due_now(house, kind):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(
            select(work.c.dialogue_id).where(
                work.c.company_id == house.company_id, work.c.kind == kind, work.c.due_at <= house.clock()
            )
        )
        return rows.all()
