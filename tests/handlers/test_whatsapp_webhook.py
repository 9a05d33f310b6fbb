"""WhatsApp's door: the challenge, Meta's signature, whole batches, repeats, and numbers that share an app."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db.models import accepted_updates, messages
from db.outbox_models import replies
from handlers.base import ASIDE, STATUSES
from handlers.whatsapp.intake import WhatsAppIntake
from sandbox.whatsapp.state import Person

OTHER_BOT = "700000002:SANDBOX-only-works-in-the-tests-000002"
OTHER = "name: Борода\nslug: boroda\ntime_zone: Asia/Yekaterinburg\n"


def webhook(*values, number="111"):
    metadata = {"display_phone_number": "7900", "phone_number_id": number}
    changes = [{"field": "messages", "value": {"metadata": metadata, **value}} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": changes}]}


def message(id_="wamid.1", text="Привет", **more):
    return {"from": "79160000001", "id": id_, "timestamp": "1795510800", "type": "text", "text": {"body": text}} | more


def accept(body):
    return WhatsAppIntake().accept(json.dumps(body).encode())


@pytest.fixture
async def door(house):
    """Post to Элита's webhook, signed or not; and ask it the challenge."""
    await house.whatsapp_number()
    number = house.vendors.whatsapp.state.numbers["106540352242922"]
    async with aiohttp.ClientSession() as session:

        class Door:
            url = number.callback_url
            secret = number.app.secret

            async def post(self, body, *, secret=None, header=None):
                raw = json.dumps(body).encode()
                signature = "sha256=" + hmac.new((secret or self.secret).encode(), raw, sha256).hexdigest()
                headers = {"X-Hub-Signature-256": signature if header is None else header}
                headers = {name: value for name, value in headers.items() if value}
                async with session.post(self.url, data=raw, headers=headers) as response:
                    return response.status

            async def get(self, **query):
                async with session.get(self.url, params=query) as response:
                    return response.status, await response.text()

        yield Door()


async def stored(house):
    async with house.core.database.company(house.company_id) as tx:
        statement = select(accepted_updates.c.update_key).where(accepted_updates.c.company_id == house.company_id)
        return sorted(await tx.connection.scalars(statement))


async def test_only_what_meta_signed_is_taken(house, door):
    body = webhook({"statuses": [{"id": "wamid.1", "status": "sent", "timestamp": "1"}]}, number="106540352242922")

    assert await door.post(body, header="") == 401
    assert await door.post(body, header="sha256=" + "0" * 64) == 401
    assert await door.post(body, header="sha1=abc") == 401
    assert await door.post(body, secret="somebody else's") == 401
    assert await stored(house) == []
    assert await door.post(body) == 200
    assert await stored(house) == ["wamid.1:sent"]


async def test_the_challenge_is_answered_letter_for_letter_to_whom_knows_the_token(house, door):
    [channel] = [one for one in await house.core.companies.list_channels(house.company_id) if one.type == "whatsapp"]
    token = house.core.open_channel_secrets(channel)["verify_token"].get_secret_value()
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}

    assert await door.get(**asked, **{"hub.verify_token": token}) == (200, "1158201444")
    assert (await door.get(**asked, **{"hub.verify_token": "wrong"}))[0] == 403
    assert (await door.get(**asked))[0] == 403
    assert (await door.get(**{**asked, "hub.mode": "other"}, **{"hub.verify_token": token}))[0] == 403


async def test_telegram_answers_no_challenge(house):
    url = house.vendors.telegram.state.bots[700000001].webhook.url
    async with aiohttp.ClientSession() as session, session.get(url, params={"hub.mode": "subscribe"}) as response:
        assert response.status == 405


async def test_a_webhook_with_a_hundred_messages_is_taken_whole(house):
    number = await house.whatsapp_number()
    people = [(await house.whatsapp_client(f"Клиент {index}")).person for index in range(20)]
    whatsapp = house.vendors.whatsapp

    async with whatsapp.people.batch():
        for index in range(100):
            await whatsapp.people.send_text(number, people[index % 20], f"слово {index}")
    await house.settles()

    posted = [json.loads(body) for _, _, body in whatsapp.webhooks.delivered]
    assert max(len(one["entry"]) for one in posted) == 100
    async with house.core.database.company(house.company_id) as tx:
        kept = await tx.connection.scalars(select(messages.c.text).where(messages.c.author == "client"))
        said = [line for text in kept for line in text.split("\n")]
    assert sorted(said) == sorted(f"слово {index}" for index in range(100))


def test_every_item_of_every_entry_and_change_stands_alone():
    body = webhook({"messages": [message("a"), message("b")]}, {"statuses": [{"id": "m", "status": "read"}]})
    body["entry"] += webhook({"messages": [message("c")]}, number="222")["entry"]

    accepted = accept(body)

    assert [one.update_key for one in accepted] == ["a", "b", "m:read", "c"]
    assert [one.address for one in accepted] == ["111", "111", "111", "222"]
    assert [one.dialogue_key for one in accepted] == ["79160000001", "79160000001", STATUSES, "79160000001"]
    for one in accepted:
        value = json.loads(one.payload)["entry"][0]["changes"][0]["value"]
        assert len(value.get("messages", value.get("statuses"))) == 1


def test_a_person_is_known_by_the_business_scoped_id_where_there_is_one():
    contact = {"wa_id": "79160000001", "user_id": "RU.1", "profile": {"name": "A"}}
    hidden = {key: value for key, value in message().items() if key != "from"} | {"from_user_id": "RU.1"}

    assert [one.dialogue_key for one in accept(webhook({"messages": [message()], "contacts": [contact]}))] == ["RU.1"]
    assert [one.dialogue_key for one in accept(webhook({"messages": [hidden]}))] == ["RU.1"]
    assert [one.dialogue_key for one in accept(webhook({"messages": [message()]}))] == ["79160000001"]


def echo(id_="wamid.e", text="Это Марина", **more):
    said = {"from": "7900", "to": "79160000001", "id": id_, "timestamp": "1795510800", "type": "text"}
    return said | {"text": {"body": text}} | more


def echoes(*said, contacts=None, number="111"):
    body = webhook({"message_echoes": list(said)} | ({"contacts": contacts} if contacts else {}), number=number)
    body["entry"][0]["changes"][0]["field"] = "smb_message_echoes"
    return body


def test_what_is_typed_on_the_businesss_own_phone_is_of_the_clients_it_goes_to():
    contact = {"wa_id": "79160000001", "user_id": "RU.1", "profile": {"name": "A"}}
    body = echoes(echo("a"), echo("b", to="79160000002"), contacts=[contact])
    body["entry"] += webhook({"messages": [message("c")]})["entry"]

    accepted = accept(body)

    assert [one.dialogue_key for one in accepted] == ["echo:RU.1", "echo:79160000002", "79160000001"]
    assert [one.update_key for one in accepted] == ["echo:a", "echo:b", "c"]
    assert [one.address for one in accepted] == ["111"] * 3
    assert all(WhatsAppIntake().sent_at(one).timestamp() == 1795510800 for one in accepted)
    assert all(one.urgent for one in accepted[:2])
    assert b"79160000002" not in accepted[0].payload


def test_an_echo_names_its_client_by_the_business_scoped_id_where_there_is_one():
    contact = {"user_id": "RU.1"}
    hidden = {key: value for key, value in echo().items() if key != "to"}

    assert [one.dialogue_key for one in accept(echoes(echo(to_user_id="RU.1")))] == ["echo:RU.1"]
    assert [one.dialogue_key for one in accept(echoes(hidden, contacts=[contact]))] == ["echo:RU.1"]
    assert [one.dialogue_key for one in accept(echoes(echo()))] == ["echo:79160000001"]
    assert [one.dialogue_key for one in accept(echoes(hidden))] == [ASIDE]
    assert [one.dialogue_key for one in accept(echoes(echo(group_id="g")))] == [ASIDE]


def test_no_client_is_taken_for_the_businesss_own_person():
    forged = message(**{"from_user_id": "echo:79160000001"})

    assert [one.dialogue_key for one in accept(webhook({"messages": [forged]}))] == [ASIDE]


async def test_who_is_not_meta_takes_no_client_over(house, door):
    """An echo makes the agent silent: only what Meta signed is one, and what was signed long ago is none any more."""
    now = int(house.clock().timestamp())
    body = echoes(echo(timestamp=str(now)), number="106540352242922")

    assert await door.post(body, header="") == 401
    assert await door.post(body, secret="somebody else's") == 401
    assert await door.post(echoes(echo(timestamp="1600000000"), number="106540352242922")) == 200
    assert await stored(house) == []
    assert await door.post(body) == 200
    assert await stored(house) == ["echo:wamid.e"]


def test_a_status_is_stored_without_anybodys_number():
    status = {"id": "m", "status": "sent", "timestamp": "1", "recipient_id": "79160000001", "pricing": {}}

    [one] = accept(webhook({"statuses": [status], "contacts": [{"wa_id": "79160000001"}]}))

    assert b"79160000001" not in one.payload


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["messages", "smb_message_echoes"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "entry",
                    "changes",
                    "field",
                    "value",
                    "messages",
                    "statuses",
                    "message_echoes",
                    "to",
                    "to_user_id",
                    "contacts",
                    "metadata",
                    "phone_number_id",
                    "id",
                    "from",
                    "from_user_id",
                    "user_id",
                    "wa_id",
                    "type",
                    "text",
                    "body",
                    "status",
                ]
            ),
            children,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_no_body_whatever_raises_and_none_is_lost(body):
    accepted = accept(body)

    assert accepted
    assert all(one.update_key and one.dialogue_key and "\x00" not in one.dialogue_key for one in accepted)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"{}", b'{"entry": 5}', b"[" * 100_000])
def test_what_is_no_webhook_goes_to_no_client(body):
    [one] = WhatsAppIntake().accept(body)

    assert one.dialogue_key == ASIDE


async def test_a_replayed_status_changes_nothing(house):
    client = await house.whatsapp_client()
    await client.says("Здравствуйте")
    await house.vendors.whatsapp.people.read(client.number_id, client.person)
    await house.settles()
    before = await read_replies(house)

    for _ in range(3):
        await house.vendors.whatsapp.people.bring_again()
        await house.settles()
    chat = house.vendors.whatsapp.people.chat(client.number_id, client.person.user_id)
    number = house.vendors.whatsapp.state.numbers[client.number_id]
    house.vendors.whatsapp.people.report(number, chat, client.last, "delivered")
    await house.settles()

    assert before[0]["read_at"] is not None
    assert before[0]["delivered_at"] is not None
    assert await read_replies(house) == before


async def read_replies(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(replies).where(replies.c.company_id == house.company_id))
        return [dict(row) for row in rows.mappings()]


async def test_numbers_of_one_app_share_a_webhook_and_each_company_gets_its_own(house):
    whatsapp = house.vendors.whatsapp
    first = whatsapp.state.numbers[await house.whatsapp_number()]
    second = whatsapp.add_number(first.app, id_="222", token="token-of-222", name="Борода")
    other = await house.add_company(OTHER, OTHER_BOT)
    await house.add_number(other, "222")
    # Meta brings both to one address.
    second.callback_url = first.callback_url
    person = Person(name="Игорь", wa_id="79165550000", user_id="RU.555")

    async with whatsapp.people.batch():
        await whatsapp.people.send_text(first.id, person, "Здравствуйте")
        await whatsapp.people.send_text(second.id, person, "Здравствуйте")
    await whatsapp.people.wait_for(first.id, "RU.555", lambda chat: len(chat.messages) > 1)
    await whatsapp.people.wait_for(second.id, "RU.555", lambda chat: len(chat.messages) > 1)

    assert "Элита" in whatsapp.people.texts_from_business(first.id, "RU.555")[0]
    assert "Борода" in whatsapp.people.texts_from_business(second.id, "RU.555")[0]


async def test_nobody_gets_another_apps_messages_by_naming_its_number(house, door):
    """A company that says that a number is its own, under an app of its own, is believed by nobody."""
    whatsapp = house.vendors.whatsapp
    thief = whatsapp.add_app()
    real = whatsapp.add_number(whatsapp.add_app(), id_="333", token="token-of-333")
    other = await house.add_company(OTHER, OTHER_BOT)
    await house.add_number(other, "333")
    body = webhook({"messages": [message("wamid.stolen")]}, number="333")

    assert await door.post(body) == 200

    assert thief.secret != real.app.secret
    assert "wamid.stolen" not in await stored(house)
    async with house.core.database.company(other) as tx:
        assert list(await tx.connection.scalars(select(accepted_updates.c.update_key))) == []


@pytest.mark.parametrize("kind", ["unsupported", "hologram", "order", "system"])
async def test_what_cannot_be_read_is_answered(house, kind):
    client = await house.whatsapp_client()
    content = {"type": kind, kind: {"anything": 1}}
    if kind == "unsupported":
        content = {"type": kind, "errors": [{"code": 131051, "title": "Message type unknown", "message": "x"}]}

    answer = await client.hears_after(
        house.vendors.whatsapp.people.send_anything(await house.whatsapp_number(), client.person, content)
    )

    assert "прочитать не могу" in answer.text
