"""A dialogue's turns when clients write in bursts, write too much, or write what cannot be handled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.dialogues import Dialogues
from db.models import accepted_updates, messages, turns, work
from db.outbox import Outbox
from db.records import Dialogue, Usage, dialogue_id_of
from orchestration.ports import Content, ModelAnswer, TextPart

BURSTS_BOT = "700000003:SANDBOX-only-works-in-the-tests-000003"
QUIET = """
name: Тихий салон
slug: quiet
time_zone: Europe/Moscow
quiet_seconds: 2
"""


async def rows(house, company_id, *columns, **where):
    table = columns[0].table
    async with house.core.database.company(company_id) as tx:
        found = await tx.connection.execute(
            select(*columns).where(
                table.c.company_id == company_id, *(table.c[name] == value for name, value in where.items())
            )
        )
        return [tuple(row) for row in found]


async def test_a_burst_is_one_turn_that_waits_until_the_client_is_quiet(house, until):
    company_id = await house.add_company(QUIET, BURSTS_BOT)
    client = house.client(company_id=company_id)
    people = house.vendors.telegram.people
    start = house.clock()

    async def both_stored():
        return len(await rows(house, company_id, accepted_updates.c.id)) == 2

    async def due_after(seconds):
        moment = start + timedelta(seconds=seconds)

        async def is_due():
            return await rows(house, company_id, work.c.due_at, kind="turn", due_at=moment, owner=None)

        await until(is_due)

    await people.send_text(client.bot_id, client.user, "Здравствуйте")
    await due_after(2)
    house.clock.advance(timedelta(seconds=1.5))
    await people.send_text(client.bot_id, client.user, "Хочу узнать")
    await until(both_stored)
    house.clock.advance(timedelta(seconds=1))
    # Two seconds after the first message, but not after the last: the turn rests.
    await due_after(3.5)
    assert client.heard == []
    house.clock.advance(timedelta(seconds=1))
    await people.wait_for(client.bot_id, client.user.id, lambda _: bool(client.heard))

    assert len(await rows(house, company_id, turns.c.id)) == 1
    assert await rows(house, company_id, messages.c.text, author="client") == [("Здравствуйте\nХочу узнать",)]


class TestOneMessageAMinute:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"client_messages_per_minute": 1})

    async def test_too_much_is_told_once_kept_as_history_and_seen_by_the_next_turn(self, house, until):
        client = house.client()
        await client.says("Здравствуйте")
        told = await client.says("Сколько стоит стрижка?")
        people = house.vendors.telegram.people

        await people.send_text(client.bot_id, client.user, "И окрашивание?")

        async def kept():
            said = await rows(house, house.company_id, messages.c.text, author="client")
            return ("И окрашивание?",) in said

        await until(kept)
        assert "Подождите" in told.text
        assert len(client.heard) == 2
        outcomes = await rows(house, house.company_id, turns.c.outcome)
        assert sorted(outcome for (outcome,) in outcomes) == ["answered", "too_many_messages", "too_many_messages"]


class TestFourMessagesAMinute:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"client_messages_per_minute": 4})

    async def test_a_yes_whose_write_is_under_way_is_not_counted_again(self, house, until):
        """It is the fourth message; tried again within the minute, it would be a fifth."""
        client = house.client()
        await client.reaches_proposal()
        crm = house.vendors.yclients
        crm.fail_next("/records/", method="POST", cut_before=True)
        count = len(client.heard)
        await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Да")

        async def resting():
            return await rows(house, house.company_id, work.c.due_at, kind="turn", owner=None, lost_leases=0)

        await until(lambda: any(call["method"] == "POST" and "/records/" in call["path"] for call in crm.calls))
        await until(resting)
        house.clock.advance(timedelta(seconds=41))
        await until(lambda: len(client.heard) > count)

        assert "Готово" in client.heard[-1]


class TestOnePlaceForTurns:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"turns_at_once": 1})

    async def test_a_reply_that_is_ready_does_not_wait_for_a_slow_turn(self, house, until):
        client, slow = house.client("Ольга"), house.client("Елена")
        await client.says("Здравствуйте")
        asked = len(house.vendors.gemini.requests)
        house.vendors.gemini.fail_next("hang")
        people = house.vendors.telegram.people
        await people.send_text(slow.bot_id, slow.user, "Здравствуйте")
        await until(lambda: len(house.vendors.gemini.requests) > asked)

        channel, key = await house.channel(), f"{client.user.id}:{client.user.id}:"
        dialogue = Dialogue(
            id=dialogue_id_of(channel.id, key), company_id=house.company_id, channel_id=channel.id, key=key
        )
        async with house.core.database.company(house.company_id) as tx:
            await Outbox(house.clock).put(tx, dialogue, [{"text": "Готово к выдаче"}], turn_id=None)
        await people.wait_for(client.bot_id, client.user.id, lambda _: client.heard[-1] == "Готово к выдаче")

        assert slow.heard == []


class BreaksOnPoison:
    """A model with a defect that nobody foresaw: a question with this word in it breaks it until it is repaired."""

    repaired = False

    async def generate(self, request):
        words = request.contents[-1].text
        if "яд" in words and not self.repaired:
            raise RuntimeError("cannot handle this")
        return ModelAnswer(
            content=Content(role="model", parts=(TextPart(text=f"Вы спросили: {words}"),)), usage=Usage(), model="m"
        )


class TestPoison:
    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"work_tries": 3})

    @pytest.fixture
    def model(self):
        return BreaksOnPoison()

    @pytest.fixture
    def buried(self, house, until):
        """Let the time of every next try come, until so many are dead; return them."""

        async def fail_until(count=1):
            async def dead():
                if await rows(house, house.company_id, work.c.due_at, kind="turn", owner=None):
                    house.clock.advance(timedelta(seconds=10))
                async with house.core.database.company(house.company_id) as tx:
                    found = await house.core.inbox.list_dead(tx)
                return found if len(found) == count else None

            return await until(dead)

        return fail_until

    async def test_what_fails_again_and_again_is_put_aside_and_what_is_innocent_is_answered(self, house, buried):
        client = house.client()
        await client.says("Здравствуйте")
        people = house.vendors.telegram.people
        for words in ("До яблок", "яд", "После"):
            await people.send_text(client.bot_id, client.user, words)

        [dead] = await buried()
        await people.wait_for(client.bot_id, client.user.id, lambda _: "После" in client.heard[-1])

        assert (dead.attempts, dead.error) == (3, "RuntimeError: cannot handle this")
        assert sum("что-то пошло не так" in heard for heard in client.heard) == 1
        assert "До яблок" in "".join(client.heard)

    async def test_client_and_staff_are_told_once_however_many_are_buried(self, house, buried):
        client = house.client()
        await client.says("Здравствуйте")
        people = house.vendors.telegram.people
        await people.send_text(client.bot_id, client.user, "яд")
        await buried()
        await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > 1)
        await people.wait_for(house.bots[house.company_id], 555_000, lambda _: bool(house.staff_heard()))
        await people.send_text(client.bot_id, client.user, "ещё яд")

        await buried(2)
        await client.says("Сколько стоит окрашивание?")

        assert sum("что-то пошло не так" in heard for heard in client.heard) == 1
        assert sum("не удалось обработать" in heard for heard in house.staff_heard()) == 1
        channel = await house.channel()
        dialogue_id = dialogue_id_of(channel.id, f"{client.user.id}:{client.user.id}:")
        async with house.core.database.company(house.company_id) as tx:
            assert await Dialogues().waits_for_person(tx, dialogue_id, reason="dead_update")

    async def test_a_dead_update_that_is_retried_after_the_repair_is_answered(self, house, model, buried):
        client = house.client()
        people = house.vendors.telegram.people
        await people.send_text(client.bot_id, client.user, "Сколько стоит окрашивание, яд?")
        [dead] = await buried()
        await people.wait_for(client.bot_id, client.user.id, lambda _: bool(client.heard))
        model.repaired = True

        async with house.core.database.company(house.company_id) as tx:
            await house.core.inbox.retry_dead(tx, dead.id)
        await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > 1)

        assert "Сколько стоит окрашивание, яд?" in client.heard[1]
