"""A visit of two records while things fail between them: all of it stands, or none, or it is told exactly what."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from db.booking_models import intents, slot_claims
from db.models import work
from orchestration.recorded_writes import CALL_LIMIT, GIVE_UP_AFTER

OLGA_AT_FOUR = datetime.fromisoformat("2026-11-25T16:00:00+03:00")
SECOND = '-2"'
"""What stands in the call that books the manicure, and in no other."""
NOTHING_BOOKED = "ничего не записано"


async def statuses(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(
            select(intents.c.kind, intents.c.status).where(intents.c.company_id == house.company_id)
        )
        return sorted(Counter(f"{kind} {status}" for kind, status in rows).items())


async def claimed_masters(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.scalars(
            select(slot_claims.c.staff_id).where(slot_claims.c.company_id == house.company_id).distinct()
        )
        return sorted(rows)


def booking_calls(house):
    calls = house.vendors.yclients.calls
    return [one for one in calls if one["method"] == "POST" and one["path"].startswith("/api/v1/records/")]


def fail_second(house, **fault):
    return house.vendors.yclients.fail_next("/records/", method="POST", word=SECOND, **fault)


def fail_cancelling(house, **fault):
    return house.vendors.yclients.fail_next("/record/", method="DELETE", **fault)


def somebody_else_takes_the_manicure(house):
    house.salon_staff().book_by_hand(
        master="Ольга Петрова", service="Маникюр", starts=OLGA_AT_FOUR, client="Инна", phone="+79169999999"
    )


async def presses_yes(client):
    """Press without waiting for an answer; return how many there were before."""
    message, data = client.button("Да, записать")
    count = len(client.heard)
    await client.telegram.people.press_button(client.bot_id, client.user, message.message_id, data)
    return count


async def is_answered(house, client, count, until, *, step=CALL_LIMIT):
    """Let time pass wherever the turn rests, until the client has heard something new; return it."""

    async def heard():
        async with house.core.database.company(house.company_id) as tx:
            resting = await tx.connection.scalars(
                select(work.c.due_at).where(
                    work.c.company_id == house.company_id,
                    work.c.kind == "turn",
                    work.c.lease_until.is_(None),
                    work.c.due_at > house.clock(),
                )
            )
            if resting.all():
                house.clock.advance(step)
        return len(client.heard) > count

    await until(heard)
    return client.heard[-1]


@pytest.fixture
async def client(house):
    """Somebody who is asked to confirm a haircut at three and a manicure at four."""
    client = house.client()
    await client.reaches_visit()
    return client


async def test_where_the_second_part_is_refused_the_first_is_cancelled_and_other_times_are_offered(
    house, client, until
):
    on_its_way, go_on = fail_second(house, hold_before=(event := asyncio.Event())), event
    count = await presses_yes(client)
    await until(lambda: on_its_way.held == 1)
    assert [record["staff_id"] for record in house.records()] == [101]

    somebody_else_takes_the_manicure(house)
    go_on.set()
    sorry = await is_answered(house, client, count, until)

    assert NOTHING_BOOKED in sorry
    assert [record["client"]["name"] for record in house.records()] == ["Инна"]
    assert await statuses(house) == [("cancel done", 1), ("create done", 1), ("create refused", 1)]
    assert await claimed_masters(house) == []

    again = await client.presses("Анна Смирнова, Ольга Петрова")
    receipt = await client.presses("Да, записать")
    assert "Маникюр, Ольга Петрова" in again.text
    assert "Готово" in receipt.text
    assert len(house.records()) == 3


async def test_a_part_that_is_taken_before_the_first_write_costs_the_crm_no_write(house, client):
    somebody_else_takes_the_manicure(house)

    sorry = await client.presses("Да, записать")

    assert NOTHING_BOOKED in sorry.text
    assert booking_calls(house) == []
    assert await statuses(house) == [("create refused", 2)]


async def test_a_changed_price_of_any_part_is_asked_again_before_anything_is_written(house, client):
    manicure = house.salon.services[2]
    dearer = type(manicure)(
        id=manicure.id, title=manicure.title, price_min=3000, price_max=3000, seconds=5400, staff=manicure.staff
    )
    house.salon.services = (*house.salon.services[:2], dearer, *house.salon.services[3:])
    await house.core.redis.flushdb()

    asked = await client.presses("Да, записать")
    assert "условия изменились" in asked.text
    assert "5500 руб." in asked.text
    assert house.records() == []

    receipt = await client.presses("Да, записать")
    assert "5500 руб." in receipt.text
    assert len(house.records()) == 2


@pytest.mark.parametrize("lost", ["cut_before", "cut_after"])
async def test_a_cancellation_whose_answer_is_lost_is_looked_up_and_the_visit_is_gone(house, client, until, lost):
    fail_second(house, status=403)
    fail_cancelling(house, **{lost: True})

    count = await presses_yes(client)
    answer = await is_answered(house, client, count, until)

    assert NOTHING_BOOKED in answer
    assert house.records() == []
    assert await statuses(house) == [("cancel done", 1), ("create done", 1), ("create refused", 1)]


async def test_where_the_first_part_cannot_be_cancelled_client_and_staff_hear_what_stands(house, client, until):
    fail_second(house, status=403)
    fail_cancelling(house, times=20, status=403)

    count = await presses_yes(client)
    answer = await is_answered(house, client, count, until)
    await until(house.staff_heard)

    assert "15:00, Стрижка женская, Анна Смирнова (1 час, 2500 руб.): записано" in answer
    assert "Ольга Петрова (1 час 30 минут, от 1800 до 2200 руб.): не записано" in answer
    assert [record["staff_id"] for record in house.records()] == [101]
    assert "не целиком" in house.staff_heard()[-1]
    assert "Стрижка женская, Анна Смирнова (1 час, 2500 руб.): записано" in house.staff_heard()[-1]


async def test_where_it_cannot_be_found_out_whether_the_first_part_is_cancelled_that_is_what_is_told(
    house, client, until
):
    fail_second(house, status=403)
    fail_cancelling(house, times=100, cut_before=True)
    house.vendors.yclients.fail_next("/record/", method="GET", times=1000, status=500)

    count = await presses_yes(client)
    answer = await is_answered(house, client, count, until, step=GIVE_UP_AFTER + timedelta(seconds=1))

    assert "Стрижка женская, Анна Смирнова (1 час, 2500 руб.): не удалось узнать" in answer
    assert "Ольга Петрова (1 час 30 минут, от 1800 до 2200 руб.): не записано" in answer
    assert await statuses(house) == [("cancel unknown", 1), ("create done", 1), ("create refused", 1)]


async def test_a_part_whose_fate_is_never_known_is_told_as_that_beside_what_stands(house, client, until):
    fail_second(house, times=100, cut_before=True)
    house.vendors.yclients.fail_next("/records/", method="GET", times=1000, status=500)

    count = await presses_yes(client)
    answer = await is_answered(house, client, count, until, step=GIVE_UP_AFTER + timedelta(seconds=1))

    assert "Стрижка женская, Анна Смирнова (1 час, 2500 руб.): записано" in answer
    assert "Ольга Петрова (1 час 30 минут, от 1800 до 2200 руб.): не удалось узнать" in answer
    assert [record["staff_id"] for record in house.records()] == [101]
    assert await statuses(house) == [("create done", 1), ("create unknown", 1)]


HELD = {
    "before the first call": lambda crm, event: crm.fail_next("/book_check/", hold_before=event),
    "the first on the wire": lambda crm, event: crm.fail_next("/records/", method="POST", hold_before=event),
    "the first booked": lambda crm, event: crm.fail_next("/records/", method="POST", hold_after=event),
    "between the two": lambda crm, event: crm.fail_next("/book_check/", word="503", hold_before=event),
    "the second on the wire": lambda crm, event: crm.fail_next(
        "/records/", method="POST", word=SECOND, hold_before=event
    ),
    "the second booked": lambda crm, event: crm.fail_next("/records/", method="POST", word=SECOND, hold_after=event),
}


@pytest.mark.parametrize("where", HELD)
async def test_a_worker_that_dies_on_the_way_leaves_one_whole_visit(house, client, until, where):
    go_on = asyncio.Event()
    held = HELD[where](house.vendors.yclients, go_on)
    count = await presses_yes(client)
    await until(lambda: held.held == 1)

    await house.kill_worker()
    go_on.set()
    house.clock.advance(house.lease + timedelta(seconds=1))
    async with house.another_worker():
        answer = await is_answered(house, client, count, until)

    assert "Готово" in answer
    assert [(record["staff_id"], record["datetime"][11:16]) for record in house.records()] == [
        (101, "15:00"),
        (103, "16:00"),
    ]
    assert len(booking_calls(house)) == 2
    assert await statuses(house) == [("create done", 2)]


@pytest.mark.parametrize("when", ["hold_before", "hold_after"])
async def test_a_worker_that_dies_while_it_takes_back_the_first_part_leaves_nothing(house, client, until, when):
    fail_second(house, status=403)
    go_on = asyncio.Event()
    held = fail_cancelling(house, **{when: go_on})
    count = await presses_yes(client)
    await until(lambda: held.held == 1)

    await house.kill_worker()
    go_on.set()
    house.clock.advance(house.lease + timedelta(seconds=1))
    async with house.another_worker():
        answer = await is_answered(house, client, count, until)

    assert NOTHING_BOOKED in answer
    assert house.records() == []
    assert await statuses(house) == [("cancel done", 1), ("create done", 1), ("create refused", 1)]


async def test_of_clients_who_confirm_the_same_or_an_overlapping_visit_at_once_one_books_all_of_it(house, until):
    clients = [house.client(f"Клиент {number}") for number in range(6)]
    for number, client in enumerate(clients):
        # Some want the same two times; the others another first master, and only an hour of the second one's too.
        await (client.reaches_visit("15:00") if number % 2 else client.reaches_visit("15:30", by="Марии"))
    go_on = asyncio.Event()
    first = house.vendors.yclients.fail_next("/records/", method="POST", times=10, hold_before=go_on)

    async def others_have_heard():
        return sum(NOTHING_BOOKED in client.heard[-1] for client in clients) == len(clients) - 1

    for client in clients:
        await presses_yes(client)
    # The CRM holds nothing yet and shows both times as free: only the claims can tell the others.
    await until(others_have_heard)
    assert (first.held, house.records()) == (1, [])
    go_on.set()
    await until(lambda: any("Готово" in client.heard[-1] for client in clients))

    assert len(booking_calls(house)) == 2
    assert len({record["client"]["phone"] for record in house.records()}) == 1
    assert house.records()[1]["staff_id"] == 103


async def test_where_the_second_cancellation_of_a_visit_fails_the_client_hears_which_stands(house, client, until):
    await client.presses("Да, записать")
    await client.says("/my")
    await client.presses("15:00")
    await client.presses("Отменить запись")
    second = next(str(record["id"]) for record in house.records() if record["staff_id"] == 103)
    house.vendors.yclients.fail_next(f"/{second}", method="DELETE", times=20, status=403)

    answer = await client.presses("Да, отменить визит")
    await until(house.staff_heard)

    assert "Стрижка женская, Анна Смирнова: отменено" in answer.text
    assert "Маникюр, Ольга Петрова: записано" in answer.text
    assert [record["staff_id"] for record in house.records()] == [103]
