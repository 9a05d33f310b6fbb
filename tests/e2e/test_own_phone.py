"""The WhatsApp Business app beside the Cloud API: what a salon types on its own phone is a person's answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from house_desk import Desk
from sqlalchemy import func, select

from db.models import accepted_updates, messages, sessions
from db.outbox_models import replies
from db.records import DeliveryStatus
from handlers.base import ECHO
from house_installation import STAFF_CHAT
from sandbox.media import photo

WORDS = "Это Марина, сейчас всё расскажу"


class OwnPhone:
    """The business's phone, in the hands of its own person."""

    def __init__(self, house, client):
        self.house, self.client = house, client
        self.whatsapp = house.vendors.whatsapp
        self.app = self.whatsapp.business_app

    async def types(self, text=WORDS):
        """Answer the client; return the message's id."""
        id_ = await self.app.type_text(self.client.number_id, self.client.person, text)
        await self.house.settles()
        return id_

    async def in_charge(self):
        async with self.house.core.database.company(self.house.company_id) as tx:
            return await tx.connection.scalar(
                select(sessions.c.in_charge).where(sessions.c.key == self.client.person.user_id)
            )

    async def said(self):
        """The history: who said what."""
        async with self.house.core.database.company(self.house.company_id) as tx:
            rows = await tx.connection.execute(select(messages.c.author, messages.c.text).order_by(messages.c.id))
            return [(row.author, row.text) for row in rows]


@pytest.fixture
async def own(house):
    client = await house.whatsapp_client()
    number = house.vendors.whatsapp.state.numbers[client.number_id]
    number.coexistence = True
    number.app.fields.add("smb_message_echoes")
    return OwnPhone(house, client)


async def dead(house):
    async with house.core.database.company(house.company_id) as tx:
        statement = select(func.count()).where(accepted_updates.c.dead_at.is_not(None))
        return await tx.connection.scalar(statement.select_from(accepted_updates))


async def test_who_answers_in_the_business_app_has_taken_the_client_over_until_they_are_silent(house, own):
    """Nobody is enrolled, and there is no staff chat to see it in: the person answers where the client wrote."""
    await own.client.says("Сколько стоит окрашивание?")

    await own.types()

    assert await own.in_charge() == "person"
    assert ("person", WORDS) in await own.said()
    heard = len(own.client.heard)
    await own.whatsapp.people.send_text(own.client.number_id, own.client.person, "А стрижка?")
    await house.settles()
    assert len(own.client.heard) == heard, "the agent talks over a person"

    await own.types("2500")
    house.clock.advance(timedelta(hours=2, minutes=1))
    await house.settles(people=True)
    assert await own.in_charge() == "agent"
    assert "2500" in (await own.client.says("Сколько стоит женская стрижка?")).text.replace(" ", "").replace("\xa0", "")


async def test_what_the_agent_had_said_and_not_sent_is_not_sent_any_more(house, own):
    await own.client.says("Здравствуйте")
    heard = list(own.client.heard)
    own.whatsapp.fail_next("messages", times=1000, code=131016)
    await own.whatsapp.people.send_text(own.client.number_id, own.client.person, "Сколько стоит окрашивание?")
    await house.settles()

    await own.types()
    own.whatsapp.clear_faults()
    house.clock.advance(timedelta(minutes=5))
    await house.settles()

    assert own.client.heard == [*heard, WORDS]
    async with house.core.database.company(house.company_id) as tx:
        statuses = list(await tx.connection.scalars(select(replies.c.status).order_by(replies.c.id)))
    assert statuses[-1] == DeliveryStatus.DROPPED.value
    assert DeliveryStatus.WAITING.value not in statuses


async def test_staff_see_it_in_their_chat_and_may_hand_back(house, own):
    desk = Desk(house)
    await desk.enrol()
    await own.client.says("Позовите, пожалуйста, человека")
    await desk.sees()

    await own.types()

    assert any(f"💬 {WORDS}" in words for words in await desk.sees())
    await desk.answers("/back", to=WORDS)
    assert await own.in_charge() == "agent"
    assert (await own.client.says("Сколько стоит женская стрижка?")).text


async def test_a_picture_is_an_answer_too_and_staff_see_it(house, own):
    desk = Desk(house)
    await desk.enrol()
    await own.client.says("Позовите, пожалуйста, человека")
    await desk.sees()

    await own.app.send_image(own.client.number_id, own.client.person, photo("стрижка"), "Вот такой цвет?")
    await house.settles()

    assert await own.in_charge() == "person"
    assert ("person", "Вот такой цвет?") in await own.said()
    assert any("Вот такой цвет?" in words for words in await desk.sees())
    shown = desk.people.chat(desk.bot, STAFF_CHAT).messages
    assert any(one.from_bot and one.content.get("photo") for one in shown)


async def test_an_echo_that_comes_again_counts_once(house, own):
    """Meta brings a webhook again whose answer it did not get; handed back meanwhile, the client stays the agent's."""
    await own.client.says("Здравствуйте")
    await own.types()
    await own.whatsapp.people.bring_again()
    await house.settles()
    assert [one for one in await own.said() if one[0] == "person"] == [("person", WORDS)]

    house.clock.advance(timedelta(hours=2, minutes=1))
    await house.settles(people=True)
    assert await own.in_charge() == "agent"
    await own.whatsapp.people.bring_again(last=50)
    await house.settles()

    assert await own.in_charge() == "agent"
    assert [one for one in await own.said() if one[0] == "person"] == [("person", WORDS)]


async def test_what_is_no_answer_changes_nothing(house, own):
    """A heart, an edit, what is taken back, and what this program does not know; none of it is lost as unreadable."""
    number, person = own.client.number_id, own.client.person
    await own.client.says("Здравствуйте")
    ours = own.client.last.id
    heard, said = list(own.client.heard), await own.said()

    await own.app.react(number, person, ours, "❤️")
    for content in (
        {"type": "unsupported", "errors": [{"code": 131051, "title": "Message type unknown"}]},
        {"type": "hologram", "hologram": {"depth": 3}},
        {
            "type": "edit",
            "edit": {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "а"}}},
        },
        {"type": "edit", "edit": {}},
        {"type": "revoke", "revoke": {"original_message_id": "wamid.1"}},
        {"type": "revoke"},
        {"type": "text"},
        {},
    ):
        await own.app.send_anything(number, person, content)
    await house.settles()

    assert await own.in_charge() == "agent"
    assert (own.client.heard, await own.said()) == (heard, said)
    assert await dead(house) == 0


async def test_words_that_are_changed_or_taken_back_leave_the_client_with_the_person(house, own):
    await own.client.says("Здравствуйте")
    first, second = await own.types(), await own.types("Минуту")

    await own.app.edit_text(own.client.number_id, own.client.person, first, "Это Марина")
    await own.app.take_back(own.client.number_id, own.client.person, second)
    await house.settles()

    assert await own.in_charge() == "person"
    assert [one for one in await own.said() if one[0] == "person"] == [("person", WORDS), ("person", "Минуту")]


async def test_what_we_have_sent_ourselves_is_no_persons(house, own):
    """Meta says that it tells of nothing that the Cloud API sent. Should it ever, the agent must not fall silent."""
    answer = await own.client.says("Сколько стоит окрашивание?")
    said = await own.said()

    echoed = {"type": "text", "text": {"body": answer.text}}
    await own.app.send_anything(own.client.number_id, own.client.person, echoed, id_=answer.id)
    await house.settles()

    assert await own.in_charge() == "agent"
    assert await own.said() == said


async def test_an_echo_that_names_the_number_only_is_the_same_clients(house, own):
    """As echoes were before there were business-scoped ids: the dialogue goes by the id, the echo by the number."""
    own.app.names_users = False
    await own.client.says("Здравствуйте")

    await own.types()

    assert await own.in_charge() == "person"
    async with house.core.database.company(house.company_id) as tx:
        keys = list(await tx.connection.scalars(select(sessions.c.key)))
    assert own.client.person.wa_id not in keys


async def test_a_client_whose_number_is_hidden_is_known_by_the_id(house, own):
    own.client = await house.whatsapp_client("Инна", hidden=True)
    await own.client.says("Здравствуйте")

    await own.types()

    assert await own.in_charge() == "person"


async def test_whom_the_business_writes_to_first_is_not_answered_by_the_agent(house, own):
    await own.types("Добрый день! Вы забыли у нас шарф")

    assert await own.in_charge() == "person"
    await own.whatsapp.people.send_text(own.client.number_id, own.client.person, "Спасибо, заберу завтра")
    await house.settles()
    assert own.client.heard == ["Добрый день! Вы забыли у нас шарф"]


async def test_who_is_forgotten_leaves_nothing_of_what_was_written_to_them(house, own):
    await own.client.says("Здравствуйте")
    await own.types()
    house.clock.advance(timedelta(hours=2, minutes=1))
    await house.settles(people=True)

    await own.client.says("/delete_me")
    await own.client.presses("Да")
    await house.settles()

    async with house.core.database.company(house.company_id) as tx:
        kept = select(func.count()).select_from(accepted_updates)
        echoes = kept.where(accepted_updates.c.dialogue_key.startswith(ECHO))
        assert await tx.connection.scalar(echoes) == 0
    assert await own.said() == [] or WORDS not in str(await own.said())
