"""A client who found no time asks to be told; what becomes free is offered to those who wait, one after another."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.scopes import open_crm
from bot.waiting_job import WaitingJob, WaitingStores
from db.booking_models import appointments
from db.models import messages
from db.outbox import Outbox
from db.outreach_models import consents, freed_times, outreach_log, waiting_list, waiting_offers
from db.pause import set_paused
from db.privacy_models import notice_wordings
from db.records import WorkKind
from db.slot_claims import SlotClaims
from db.waiting_offers import free_time
from sandbox.seeds import ELITA_ID

TOMORROW = date(2026, 11, 25)
ANNA, HAIRCUT = "Анна Смирнова", "Стрижка женская"
MINUTES = timedelta(minutes=1)


@pytest.fixture
async def hooks(house):
    """The vendor's webhooks, switched on."""
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    token = await house.core.companies.make_crm_hook(house.company_id, snapshot.branches[0].id)
    sent = house.vendors.yclients.journal.hooks
    sent.settings[ELITA_ID] = {"urls": [f"{house.url}/api/v1/crm/webhook/{token}"], "active": 1, "record": 1}
    yield sent
    await sent.settle()


async def book(house, name="Ирина", at="15:00"):
    """Somebody books Anna tomorrow; return them."""
    client = house.client(name)
    await client.reaches_proposal(at)
    await client.presses("Да, записать")
    return client


async def asks(house, name="Елена", day="ср, 25 ноября"):
    """Somebody finds no time with Anna that day, and asks to be told; return them."""
    client = house.client(name)
    await client.says("/book")
    await client.presses(HAIRCUT)
    await client.presses(ANNA)
    await client.presses(day)
    await client.presses("Сообщить об окошке")
    return client


async def waits(house, name="Елена"):
    client = await asks(house, name)
    told = await client.presses("Да, сообщите")
    assert "в лист ожидания" in told.text
    return client


async def passes(house, by, hooks=None):
    """Let time pass, and everything that is due then be done."""
    house.clock.advance(by)
    if hooks is not None:
        await hooks.settle()
    await house.settles(crm=True, outreach=True)
    await house.settles()


def offers(client):
    return [text for text in client.heard if "Освободилось время" in text]


def standing(house):
    return [record["datetime"][11:16] for record in house.records()]


async def rows(house, table):
    async with house.core.database.company(house.company_id) as tx:
        found = await tx.connection.execute(select(table).where(table.c.company_id == house.company_id))
        return list(found.mappings())


async def test_a_cancellation_in_the_crm_is_offered_to_the_first_and_a_quarter_of_an_hour_later_to_the_second(
    house, hooks
):
    await book(house)
    first, second = await waits(house, "Елена"), await waits(house, "Ольга")
    await passes(house, 11 * MINUTES, hooks)
    assert offers(first) == []
    [record] = house.records()
    house.salon_staff().cancel_by_hand(str(record["id"]))
    await passes(house, MINUTES, hooks)

    [offered] = offers(first)
    assert "среда, 25 ноября, 15:00" in offered
    assert ANNA in offered
    assert "Сначала предлагаем его вам: до 12:27" in offered
    assert "не бронь" in offered
    assert offers(second) == []

    await passes(house, 14 * MINUTES)
    assert offers(second) == []
    await passes(house, MINUTES)

    assert len(offers(first)) == 1
    assert len(offers(second)) == 1
    late = await first.presses("Беру")
    assert "уже предложили следующему" in late.text
    assert sorted(one["outcome"] for one in await rows(house, waiting_offers)) == ["expired", "open"]


async def test_what_our_own_client_cancels_is_offered_too(house):
    booked, client = await book(house), await waits(house)
    await passes(house, 11 * MINUTES)
    await booked.says("/my")
    await booked.presses("ср, 25 ноября, 15:00")
    await booked.presses("Отменить запись")
    await booked.presses("Да, отменить запись")
    await passes(house, MINUTES)

    [offered] = offers(client)
    assert "15:00" in offered


async def test_what_a_move_leaves_is_offered_too(house):
    booked, client = await book(house), await waits(house)
    await passes(house, 11 * MINUTES)
    await booked.says("/my")
    await booked.presses("ср, 25 ноября, 15:00")
    await booked.presses("Перенести")
    await booked.presses(ANNA)
    await booked.presses("чт, 26 ноября")
    await booked.presses("12:00")
    await booked.presses("Да, перенести")
    await passes(house, MINUTES)

    assert len(offers(client)) == 1


async def test_a_visit_that_staff_booked_and_cancel_is_offered_as_well(house, hooks):
    client = await waits(house)
    record = house.salon_staff().book_by_hand(
        master=ANNA, service=HAIRCUT, starts=datetime.combine(TOMORROW, time(15)), client="Вера", phone="+79160009999"
    )
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(record)
    await passes(house, MINUTES, hooks)

    assert len(offers(client)) == 1


async def freed_for_two(house, hooks):
    await book(house)
    first, second = await waits(house, "Елена"), await waits(house, "Ольга")
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)
    assert len(offers(first)) == 1
    return first, second


async def test_taking_it_leads_through_the_proposal_and_the_yes_as_any_time_does(house, hooks):
    first, second = await freed_for_two(house, hooks)
    asked = await first.presses("Беру")
    assert standing(house) == []
    assert "номер телефона" in asked.text
    proposal = await first.shares_contact()
    assert "среда, 25 ноября, 15:00" in proposal.text
    receipt = await first.presses("Да, записать")
    await passes(house, 30 * MINUTES, hooks)

    assert "Готово" in receipt.text
    assert standing(house) == ["15:00"]
    assert offers(second) == []
    [offer] = await rows(house, waiting_offers)
    assert offer["outcome"] == "booked"
    assert {one["status"] for one in await rows(house, waiting_list)} == {"booked", "waiting"}


async def test_who_takes_it_and_does_not_confirm_loses_it_to_the_next(house, hooks):
    first, second = await freed_for_two(house, hooks)
    await passes(house, 14 * MINUTES)
    await first.presses("Беру")
    await passes(house, 9 * MINUTES)
    assert offers(second) == []
    await passes(house, 2 * MINUTES)

    assert len(offers(second)) == 1


async def test_a_pass_goes_to_the_next_at_once_and_asks_whether_to_be_told_of_another(house, hooks):
    first, second = await freed_for_two(house, hooks)
    passed = await first.presses("Не подходит")
    await passes(house, timedelta(0))

    assert "Сообщить вам, когда освободится другое?" in passed.text
    assert len(offers(second)) == 1


async def test_a_time_that_the_crm_has_sold_meanwhile_ends_kindly(house, hooks):
    first, second = await freed_for_two(house, hooks)
    house.salon_staff().book_by_hand(
        master=ANNA, service=HAIRCUT, starts=datetime.combine(TOMORROW, time(15)), client="Вера", phone="+79160009999"
    )
    gone = await first.presses("Беру")
    await passes(house, MINUTES, hooks)

    assert "уже заняли" in gone.text
    assert first.is_offered("Сообщите о другом")
    assert offers(second) == []


async def test_without_a_yes_nobody_is_on_the_list_and_the_no_is_kept(house, hooks):
    await book(house)
    client = await asks(house)
    refused = await client.presses("Нет")
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)

    assert "писать не буду" in refused.text
    assert offers(client) == []
    assert await rows(house, waiting_list) == []
    [consent] = await rows(house, consents)
    assert consent["refused_at"] is not None
    assert consent["given_at"] is None


async def test_words_are_no_yes_to_the_list_but_the_button_s_own(house):
    client = await asks(house)
    await client.says("а сколько стоит окрашивание?")
    assert await rows(house, waiting_list) == []
    await client.presses("Да, сообщите")

    assert len(await rows(house, waiting_list)) == 1


async def test_the_yes_is_recorded_with_its_moment_its_channel_and_its_words(house):
    client = await asks(house)
    question = client.heard[-1]
    await client.presses("Да, сообщите")
    [consent], wordings = await rows(house, consents), await rows(house, notice_wordings)

    assert (consent["kind"], consent["channel"], consent["given_at"]) == ("waiting_list", "telegram", house.clock())
    [words] = [one["text"] for one in wordings if one["version"] == consent["wording_version"]]
    assert words in question
    assert "Элита" in words


async def test_at_most_one_message_a_week_that_was_not_asked_for(house, hooks):
    await book(house, "Ирина", "15:00")
    await book(house, "Инна", "17:00")
    client = await waits(house)
    await passes(house, 11 * MINUTES, hooks)
    for record in list(house.records()):
        house.salon_staff().cancel_by_hand(str(record["id"]))
        await passes(house, 20 * MINUTES, hooks)
    assert len(offers(client)) == 1

    booked = await book(house, "Яна", "18:00")
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)

    assert booked.heard
    assert len(offers(client)) == 1
    assert [one["requested"] for one in await rows(house, outreach_log)] == [True]


async def test_who_asks_for_the_next_one_is_told_of_it(house, hooks):
    first, _ = await freed_for_two(house, hooks)
    await first.presses("Не подходит")
    await first.presses("Сообщите о другом")
    await book(house, "Яна", "18:00")
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)

    assert ["15:00" in text for text in offers(first)] == [True, False]


async def test_a_stop_holds(house, hooks):
    await book(house)
    first, second = await waits(house, "Елена"), await waits(house, "Ольга")
    stopped = await first.says("Стоп")
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)

    assert "первым больше не напишу" in stopped.text
    assert offers(first) == []
    assert len(offers(second)) == 1
    mine = {one["kind"]: one for one in await rows(house, consents) if one["withdrawn_at"] or one["refused_at"]}
    assert mine["waiting_list"]["withdrawn_at"] == mine["all"]["refused_at"]


async def test_a_stop_holds_while_a_person_answers_too(house):
    client = await waits(house)
    await client.says("/person")
    people, count = house.vendors.telegram.people, len(await rows(house, consents))
    await people.send_text(client.bot_id, client.user, "стоп")
    await house.settles(people=True)

    assert count == 1
    assert {one["kind"] for one in await rows(house, consents)} == {"waiting_list", "all"}
    assert [one["status"] for one in await rows(house, waiting_list)] == ["left"]


async def test_stop_said_to_an_open_question_is_an_answer_to_that(house):
    client = house.client()
    await client.reaches_proposal()
    await client.says("стоп")

    assert await rows(house, consents) == []


async def test_at_night_it_waits_for_the_morning(house, hooks):
    await book(house)
    client = await waits(house)
    # 21:30 in Moscow.
    await passes(house, timedelta(hours=9, minutes=30), hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)
    assert offers(client) == []
    # 9:01.
    await passes(house, timedelta(hours=11, minutes=30))

    assert len(offers(client)) == 1


async def test_while_staff_have_paused_the_agent_nothing_is_offered(house, hooks):
    await book(house)
    client = await waits(house)
    await passes(house, 11 * MINUTES, hooks)
    await pause(house, by="Анна")
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)
    assert offers(client) == []
    await pause(house, by=None)
    await passes(house, 5 * MINUTES)

    assert len(offers(client)) == 1


async def pause(house, *, by):
    async with house.core.database.company(house.company_id) as tx:
        await set_paused(tx, by=by, now=house.clock())
    house.core.directory.forget(house.company_id)


async def test_nothing_is_offered_that_was_free_all_along_or_on_another_day(house, hooks):
    await book(house)
    other_day = await asks(house, "Ольга", "чт, 26 ноября")
    await other_day.presses("Да, сообщите")
    await passes(house, 11 * MINUTES, hooks)
    house.salon_staff().cancel_by_hand(str(house.records()[0]["id"]))
    await passes(house, MINUTES, hooks)

    assert offers(other_day) == []
    assert [one["outcome"] for one in await rows(house, freed_times)] in ([], ["nobody"])


async def test_the_same_cancellation_told_again_is_no_news(house, hooks):
    first, second = await freed_for_two(house, hooks)
    [gone] = [record for record in house.salon.records.values() if record["deleted"]]
    for _ in range(2):
        hooks.tell(ELITA_ID, gone, "delete")
        await passes(house, 16 * MINUTES, hooks)

    assert (len(offers(first)), len(offers(second))) == (1, 1)
    assert len(await rows(house, freed_times)) == 1


async def test_the_model_knows_what_was_offered_when_the_client_answers_in_words(house, hooks):
    first, _ = await freed_for_two(house, hooks)
    await first.says("А сколько это стоит?")

    said = [one["text"] for one in await rows(house, messages) if one["author"] == "agent"]
    assert any("Освободилось время" in text for text in said)


class Dying:
    """The database of a process that dies when it opens its next transaction but so many."""

    def __init__(self, database, after):
        self._database = database
        self._left = after

    def company(self, company_id):
        if self._left == 0:
            raise DiesHere
        self._left -= 1
        return self._database.company(company_id)

    def __getattr__(self, name):
        return getattr(self._database, name)


class DiesHere(Exception):
    """The process is gone."""


@pytest.mark.parametrize("after", range(5))
async def test_a_worker_that_dies_between_any_two_steps_offers_nothing_twice(house, hooks, after):
    await book(house)
    first, second = await waits(house, "Елена"), await waits(house, "Ольга")
    await passes(house, 11 * MINUTES, hooks)
    await house.kill_worker()
    core, [record] = house.core, house.records()
    house.salon_staff().cancel_by_hand(str(record["id"]))
    async with core.database.company(house.company_id) as tx:
        [held] = (await tx.connection.execute(select(appointments))).mappings()
        times = {"starts_at": held["starts_at"], "duration": timedelta(hours=1), "now": house.clock()}
        await free_time(tx, held["branch_id"], held["crm_record_id"], staff_name=ANNA, **times)
        await SlotClaims().release_visit(tx, held["branch_id"], held["crm_record_id"])

    async with open_crm(core) as scopes:
        stores = {"work": core.work, "outbox": Outbox(core.clock), "directory": core.directory}
        dying = WaitingStores(database=Dying(core.database, after), doorbell=core.doorbell, **stores)
        [claim] = await core.work.claim("dies", limit=1, ttl=house.lease, kind=WorkKind.WAITING)
        with pytest.raises(DiesHere):
            await WaitingJob(dying, scopes, core.clock)(claim)
    house.clock.advance(house.lease * 2)
    async with house.another_worker():
        await passes(house, timedelta(0))

        assert (len(offers(first)), len(offers(second))) == (1, 0)
        assert [one["outcome"] for one in await rows(house, waiting_offers)] == ["open"]
