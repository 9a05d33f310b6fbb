"""After a visit the client is thanked and asked for stars; few go to staff. Who agrees to it is invited again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.care_job import CareJob, CareStores
from bot.channels.whatsapp import set_template
from bot.figures import read_figures
from bot.scopes import open_crm
from db.figures import together
from db.outbox import Outbox
from db.outreach_models import consents, outreach_log, ratings
from db.outreach_settings import OutreachSettings
from db.records import ChannelType, WorkKind
from house_installation import ELITA_NUMBER

MOSCOW = ZoneInfo("Europe/Moscow")
INVITES = OutreachSettings(win_back_weeks=5)


async def set_outreach(house, settings):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, outreach=settings)
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)
    house.core.directory.forget(house.company_id)


async def book(house, name="Елена", at="15:00"):
    client = house.client(name)
    await client.reaches_proposal(at)
    await client.presses("Да, записать")
    return client


async def comes(house, moment):
    """Let it be this time in Moscow, and everything that is due then be done."""
    house.clock.now = datetime.fromisoformat(moment).replace(tzinfo=MOSCOW).astimezone(ZoneInfo("UTC"))
    await house.settles(crm=True, outreach=True)
    await house.settles()


def thanked(client):
    return [text for text in client.heard if "Спасибо, что были у нас" in text]


def invited(client):
    return [text for text in client.heard if "с вашего последнего визита" in text]


async def rows(house, table):
    async with house.core.database.company(house.company_id) as tx:
        found = await tx.connection.execute(select(table).where(table.c.company_id == house.company_id))
        return list(found.mappings())


async def figures(house):
    [company] = [one for one in await house.core.companies.list_companies() if one.id == house.company_id]
    [days] = await read_figures(house.core, [company], days=60, since=None)
    return together(days.values())


async def test_three_hours_after_the_end_the_client_is_thanked_once(house):
    client = await book(house)
    await comes(house, "2026-11-25 18:59")
    assert thanked(client) == []
    await comes(house, "2026-11-25 19:00")
    [text] = thanked(client)
    await comes(house, "2026-11-25 20:00")
    await comes(house, "2026-11-27 12:00")

    assert "Стрижка женская" in text
    assert len(thanked(client)) == 1
    [rating] = await rows(house, ratings)
    assert rating["outcome"] == "asked"


async def test_many_stars_get_thanks_and_stay_between_us(house):
    client = await book(house)
    await comes(house, "2026-11-25 19:00")
    staff_heard = len(house.staff_heard())
    answer = await client.presses("5 ★")
    again = await client.presses("5 ★") if client.is_offered("5 ★") else None
    await house.settles()

    assert "Очень рады" in answer.text
    assert again is None
    assert len(house.staff_heard()) == staff_heard
    assert [one["stars"] for one in await rows(house, ratings)] == [5]


async def test_few_stars_go_to_staff_with_what_was_wrong(house):
    client = await book(house)
    await comes(house, "2026-11-25 19:00")
    asked = await client.presses("2 ★")
    await client.says("Ждала сорок минут и никто не извинился")
    await house.settles()
    after = await client.says("Сколько стоит маникюр?")

    assert "что было не так" in asked.text
    told = "\n".join(house.staff_heard()[-3:])
    assert "2 из 5" in told
    assert "Елена" in told
    assert "Анна Смирнова" in told
    assert "Ждала сорок минут" in told
    # What they say next is the agent's again.
    assert "1800" in after.text
    assert [one["comment"] for one in await rows(house, ratings)] == ["Ждала сорок минут и никто не извинился"]


async def test_a_bare_figure_is_an_answer_too(house):
    client = await book(house)
    await comes(house, "2026-11-25 19:00")
    answer = await client.says("4")

    assert "Очень рады" in answer.text
    assert [one["stars"] for one in await rows(house, ratings)] == [4]


async def test_nobody_is_thanked_for_a_visit_that_staff_cancelled(house):
    client = await book(house)
    house.records()[0]["deleted"] = True
    await comes(house, "2026-11-25 19:00")

    assert thanked(client) == []
    assert [one["outcome"] for one in await rows(house, ratings)] in ([], ["cancelled"])


async def test_nobody_is_thanked_who_did_not_come(house):
    client = await book(house)
    house.records()[0] |= {"attendance": -1, "visit_attendance": -1}
    await comes(house, "2026-11-25 19:00")

    assert thanked(client) == []
    assert [one["outcome"] for one in await rows(house, ratings)] == ["missed"]


async def test_after_an_evening_visit_the_thanks_come_in_the_morning(house):
    client = await book(house, at="18:00")
    await comes(house, "2026-11-25 22:00")
    assert thanked(client) == []
    await comes(house, "2026-11-26 09:00")

    assert len(thanked(client)) == 1


async def test_a_visit_of_several_records_is_thanked_for_once_after_its_last(house):
    client = house.client()
    await client.reaches_visit()
    await client.presses("Да, записать")
    last = max(datetime.fromisoformat(one["datetime"]) + timedelta(seconds=one["length"]) for one in house.records())
    due = (last + timedelta(hours=3)).astimezone(MOSCOW)
    await comes(house, f"{due - timedelta(minutes=1):%Y-%m-%d %H:%M}")
    assert thanked(client) == []
    await comes(house, f"{due:%Y-%m-%d %H:%M}")

    [text] = thanked(client)
    assert "Стрижка женская" in text
    assert "Маникюр" in text


async def test_a_company_may_thank_nobody(house):
    await set_outreach(house, OutreachSettings(thank_you=False))
    client = await book(house)
    await comes(house, "2026-11-25 19:00")

    assert thanked(client) == []


async def test_while_the_crm_is_down_it_waits(house):
    client = await book(house)
    house.vendors.yclients.fail_next("/record/", times=20, html=True)
    house.clock.now = datetime(2026, 11, 25, 19, 0, tzinfo=MOSCOW).astimezone(ZoneInfo("UTC"))
    await house.settles(outreach=True)
    assert thanked(client) == []
    house.vendors.yclients.clear_faults()
    await comes(house, "2026-11-25 20:00")

    assert len(thanked(client)) == 1


async def test_the_figures_show_how_many_stars_and_how_many_low(house):
    clients = [await book(house, "Елена", "15:00"), await book(house, "Ольга", "16:00")]
    await comes(house, "2026-11-25 20:30")
    for client, stars in zip(clients, (5, 2), strict=True):
        await client.presses(f"{stars} ★")
    shown = await figures(house)

    assert (shown.mean_rating, shown.ratings.total(), shown.low_ratings) == (3.5, 2, 1)


async def visited_and_agreed(house, answer="Да, напоминайте"):
    await set_outreach(house, INVITES)
    client = await book(house)
    await comes(house, "2026-11-25 19:00")
    await client.presses("5 ★")
    await client.presses(answer)
    return client


async def test_off_unless_the_owner_turns_it_on(house):
    client = await book(house)
    await comes(house, "2026-11-25 19:00")
    answer = await client.presses("5 ★")

    assert "Напоминать вам" not in answer.text
    assert not client.is_offered("Да, напоминайте")


async def test_who_agreed_is_invited_five_weeks_after_the_visit_once(house):
    client = await visited_and_agreed(house)
    await comes(house, "2026-12-30 15:59")
    assert invited(client) == []
    await comes(house, "2026-12-30 16:00")
    await comes(house, "2027-01-20 12:00")
    await comes(house, "2027-02-10 12:00")

    [text] = invited(client)
    assert "Прошло 5 недель" in text
    assert "Стрижка женская" in text
    [consent] = await rows(house, consents)
    assert (consent["kind"], consent["channel"]) == ("win_back", "telegram")


async def test_who_said_no_is_not_invited_and_not_asked_again(house):
    client = await visited_and_agreed(house, "Нет")
    await comes(house, "2026-12-30 16:00")
    assert invited(client) == []
    await client.says("Хочу постричься завтра после обеда")
    [consent] = await rows(house, consents)

    assert consent["refused_at"] is not None


async def test_who_has_a_visit_ahead_or_came_by_telephone_is_not_invited(house):
    client = await visited_and_agreed(house)
    staff = house.salon_staff()
    staff.book_by_hand(
        master="Анна Смирнова",
        service="Стрижка женская",
        starts=datetime.combine(date(2026, 12, 28), time(12)),
        client="Елена",
        phone=client.phone,
    )
    await comes(house, "2026-12-30 16:00")

    assert invited(client) == []


async def test_an_unsubscribe_holds(house):
    client = await visited_and_agreed(house)
    await comes(house, "2026-12-30 16:00")
    stopped = await client.presses("Больше не писать")
    await client.says("Хочу постричься завтра после обеда")
    await client.says("Женская стрижка, мастер Анна Смирнова")
    await client.says("Давайте в 15:00")
    await client.presses("Да, записать")
    await comes(house, "2026-12-31 19:00")
    await comes(house, "2027-02-10 12:00")

    assert "первым больше не напишу" in stopped.text
    assert len(invited(client)) == 1
    assert len(thanked(client)) == 1
    assert [one["kind"] for one in await rows(house, outreach_log)] == ["thank_you", "win_back"]


async def test_erased_clients_are_neither_thanked_nor_invited(house):
    client = await visited_and_agreed(house)
    await client.says("/delete_me")
    await client.presses("Да, удалить")
    await comes(house, "2026-12-30 16:00")

    assert invited(client) == []
    assert await rows(house, consents) == []
    assert [one["stars"] for one in await rows(house, ratings)] == [5]


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


class DiesHere(Exception):
    """The process is gone."""


@pytest.mark.parametrize("after", range(4))
async def test_a_worker_that_dies_between_any_two_steps_thanks_nobody_twice(house, after):
    client, core = await book(house), house.core
    await house.kill_worker()
    house.clock.now = datetime(2026, 11, 25, 19, 0, tzinfo=MOSCOW).astimezone(ZoneInfo("UTC"))
    async with open_crm(core) as scopes:
        stores = {"work": core.work, "outbox": Outbox(core.clock), "directory": core.directory}
        dying = CareStores(database=Dying(core.database, after), doorbell=core.doorbell, **stores)
        [claim] = await core.work.claim("dies", limit=1, ttl=house.lease, kind=WorkKind.CARE)
        with pytest.raises(DiesHere):
            await CareJob(dying, scopes, core.clock)(claim)
    house.clock.advance(house.lease * 2)
    async with house.another_worker():
        await house.settles(outreach=True)
        await house.settles()

        assert len(thanked(client)) == 1


async def booked_over_whatsapp(house):
    client = await house.whatsapp_client()
    await client.says("Хочу постричься завтра после обеда")
    await client.says("Женская стрижка, мастер Анна Смирнова")
    await client.says("Давайте в 15:00")
    await client.presses("Да, записать")
    return client


async def test_within_whatsapps_window_the_stars_are_a_list(house):
    client = await booked_over_whatsapp(house)
    await comes(house, "2026-11-25 14:00")
    await client.says("Спасибо, буду")
    await comes(house, "2026-11-25 19:00")

    assert "Спасибо, что были у нас" in client.heard[-1]
    assert [choice["title"] for choice in client.last.choices][4:] == ["5 ★", "Больше не писать"]
    answer = await client.presses("5 ★")
    assert "Очень рады" in answer.text


async def test_outside_of_whatsapps_window_nothing_is_tried_without_a_template(house):
    client = await booked_over_whatsapp(house)
    told = len(house.staff_heard())
    await comes(house, "2026-11-25 19:00")

    assert "Спасибо, что были" not in client.heard[-1]
    assert len(house.staff_heard()) == told
    assert [one["outcome"] for one in await rows(house, ratings)] == ["too_late"]


async def test_outside_of_whatsapps_window_the_template_brings_the_stars(house):
    whatsapp = house.vendors.whatsapp
    client = await booked_over_whatsapp(house)
    stars = tuple(f"{number} ★" for number in range(1, 6))
    whatsapp.add_template(whatsapp.state.numbers[ELITA_NUMBER], "how_was_it", "ru", "{{1}} Ждём вас!", buttons=stars)
    channels = await house.core.companies.list_channels(house.company_id)
    channel = next(one for one in channels if one.type is ChannelType.WHATSAPP)
    await set_template(house.core, channel, "thank_you", {"name": "how_was_it", "language": "ru", "buttons": 5})
    house.core.directory.forget(house.company_id)
    await comes(house, "2026-11-25 19:00")

    assert "Спасибо, что были у нас" in client.heard[-1]
    answer = await client.presses("4 ★")
    assert "Очень рады" in answer.text
    assert [one["stars"] for one in await rows(house, ratings)] == [4]
