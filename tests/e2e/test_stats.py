"""What a conversation leaves in the figures of its company's day."""

from __future__ import annotations

from datetime import timedelta

from bot.figures import read_figures, zone_of


async def figures_of_today(house):
    company = (await house.core.companies.get_snapshot(house.company_id)).company
    [days] = await read_figures(house.core, [company], days=1, since=None)
    [figures] = days.values()
    return figures


async def test_a_booking_over_telegram_is_in_the_days_figures(house):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")

    found = await figures_of_today(house)

    assert (found.booked, found.moved, found.cancelled, found.dialogues) == (1, 0, 0, 1)
    assert found.messages == found.turns == 5
    assert found.answers.total() == found.turns
    assert found.write_success == 1
    assert found.tool_success == 1
    assert found.prompt_tokens > found.cached_tokens
    assert found.cost_microusd > 0
    assert (found.handed, found.reasons) == (0, {})


async def test_a_client_who_asks_for_a_person_is_in_the_share_handed_over(house):
    await house.client("Елена").says("Сколько стоит маникюр?")
    await house.client("Ольга").says("/person")

    found = await figures_of_today(house)

    assert (found.dialogues, found.handed, found.handed_share) == (2, 1, 0.5)
    assert found.reasons.total() == 1


async def test_the_day_ends_when_it_ends_at_the_companys_first_branch(house):
    assert zone_of(await house.core.companies.get_snapshot(house.company_id)) == "Europe/Moscow"
    await house.client().says("/help")

    # 12:00 in Moscow: twelve hours later the day is over there, and in London it is not.
    house.clock.advance(timedelta(hours=12))

    assert (await figures_of_today(house)).turns == 0
