"""Webhooks are signed over their raw bytes, come at least once, in any order, alone or together."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256

import httpx
import pytest

NUMBER = "106540352242922"
SECRET = "secret-of-the-app"


def signed(secret, body):
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


async def test_a_message_is_signed_with_the_apps_secret_over_escaped_bytes(whatsapp, sdk, person, door, brought):
    id_ = await whatsapp.people.send_text(NUMBER, person, "Здравствуйте 👋")
    await brought()

    [(body, signature)] = door.came
    assert signature == signed(SECRET, body)
    assert body.isascii()
    assert await sdk.webhook_update_validator(body, signature) is None
    assert (await sdk.webhook_update_validator(body + b" ", signature))[1] == 403
    [message] = door.messages
    assert message["id"] == id_
    assert message["text"] == {"body": "Здравствуйте 👋"}


async def test_anything_but_200_brings_it_again_and_others_go_past_it(whatsapp, person, door, brought):
    door.answers = [500, 404, 204, 200]
    await whatsapp.people.send_text(NUMBER, person, "раз")
    await brought()

    bodies = [body for body, _ in door.came]
    assert len(bodies) == 4
    assert len(set(bodies)) == 1
    assert list(whatsapp.webhooks.answers) == [500, 404, 204, 200]
    assert len(whatsapp.webhooks.delivered) == 1


async def test_what_was_taken_can_come_once_more(whatsapp, person, door, brought):
    with pytest.raises(LookupError):
        await whatsapp.people.bring_again()
    for word in ("раз", "два"):
        await whatsapp.people.send_text(NUMBER, person, word)
        await brought()

    await whatsapp.people.bring_again()
    await brought()
    await whatsapp.people.bring_again(last=3)
    await brought()

    words = [one["text"]["body"] for one in door.messages]
    assert words[:3] == ["раз", "два", "два"]
    assert sorted(words) == ["два"] * 4 + ["раз"] * 2


async def test_a_batch_is_one_post_with_an_entry_for_each_event(whatsapp, person, hidden, door, brought):
    async with whatsapp.people.batch():
        await whatsapp.people.send_text(NUMBER, person, "раз")
        await whatsapp.people.send_text(NUMBER, hidden, "два")
        await whatsapp.people.send_text(NUMBER, person, "три")
    await brought()

    [(body, _)] = door.came
    assert [len(entry["changes"]) for entry in json.loads(body)["entry"]] == [1, 1, 1]
    assert [one["text"]["body"] for one in door.messages] == ["раз", "два", "три"]


async def test_a_merged_batch_has_an_entry_an_account_and_a_change_a_number(
    whatsapp, graph, number, person, hidden, door, brought
):
    second = whatsapp.add_number(number.app, id_="222", token="token-of-222", account=number.account)
    third = whatsapp.add_number(number.app, id_="333", token="token-of-333")
    async with whatsapp.people.batch(merged=True):
        for one in (number, second, third):
            await whatsapp.people.send_text(one.id, person, "раз")
            await whatsapp.people.send_text(one.id, hidden, "два")
            await whatsapp.people.send_text(one.id, person, "три")
        await graph.send({"type": "text", "text": {"body": "Добрый день"}})
        whatsapp.people.bring_event(NUMBER, "account_update", {"event": "PARTNER_REMOVED"})
        whatsapp.people.bring_event(NUMBER, "account_update", {"event": "PARTNER_ADDED"})
    await brought()

    [(body, signature)] = door.came
    assert signature == signed(SECRET, body)
    entries = json.loads(body)["entry"]
    changes = {
        (
            entry["id"],
            change["value"]["metadata"]["phone_number_id"],
            change["field"],
            len(change["value"].get("messages", [])),
        )
        for entry in entries
        for change in entry["changes"]
    }
    assert len(entries) == 2
    assert changes == {
        (number.account.id, NUMBER, "messages", 3),
        (number.account.id, NUMBER, "messages", 0),
        (number.account.id, NUMBER, "account_update", 0),
        (number.account.id, "222", "messages", 3),
        (third.account.id, "333", "messages", 3),
    }
    assert [len(value["contacts"]) for value in door.values if "messages" in value] == [2, 2, 2]
    assert [one["status"] for one in door.statuses] == ["sent", "delivered"]
    assert [value.get("event") for value in door.values if "event" in value] == ["PARTNER_REMOVED", "PARTNER_ADDED"]


async def test_one_address_behind_two_apps_gets_each_signed_with_its_own_secret(whatsapp, person, door, brought):
    other = whatsapp.add_app(secret="another-secret")
    other.callback_url = door.url
    whatsapp.add_number(other, id_="222", token="token-of-222")
    async with whatsapp.people.batch():
        await whatsapp.people.send_text(NUMBER, person, "раз")
        await whatsapp.people.send_text("222", person, "два")
    await brought()

    secrets = {NUMBER: SECRET, "222": "another-secret"}
    told = {
        json.loads(body)["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"]: (body, sign)
        for body, sign in door.came
    }
    assert {id_: signed(secrets[id_], body) == sign for id_, (body, sign) in told.items()} == {
        NUMBER: True,
        "222": True,
    }


async def test_the_number_s_address_goes_before_the_account_s_and_that_before_the_app_s(
    whatsapp, person, number, door, open_door, brought
):
    of_account, of_number = await open_door(), await open_door()

    await whatsapp.people.send_text(NUMBER, person, "app")
    number.account.callback_url = of_account.url
    await whatsapp.people.send_text(NUMBER, person, "account")
    number.callback_url = of_number.url
    await whatsapp.people.send_text(NUMBER, person, "number")
    await brought()

    heard = [[one["text"]["body"] for one in each.messages] for each in (door, of_account, of_number)]
    assert heard == [["app"], ["account"], ["number"]]


async def test_without_an_address_or_a_subscription_nothing_comes(whatsapp, person, number, door, brought):
    for is_there, change in enumerate(
        [
            lambda: setattr(number.account, "subscribed", False),
            lambda: setattr(number.app, "fields", {"account_update"}),
            lambda: setattr(number.app, "callback_url", ""),
        ]
    ):
        await whatsapp.people.send_text(NUMBER, person, "слышно")
        await brought()
        assert len(door.came) == is_there + 1
        kept = (number.account.subscribed, number.app.fields, number.app.callback_url)
        change()
        await whatsapp.people.send_text(NUMBER, person, "не слышно")
        await brought()
        number.account.subscribed, number.app.fields, number.app.callback_url = kept

    assert {one["text"]["body"] for one in door.messages} == {"слышно"}


async def test_statuses_tell_what_became_of_a_message_and_what_it_costs(
    whatsapp, graph, number, person, door, brought, clock
):
    whatsapp.add_template(number, "sale", "ru", "Скидки", category="MARKETING")
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    sent = await graph.send({"type": "text", "text": {"body": "?"}, "biz_opaque_callback_data": "reply-7"})
    await brought()
    await whatsapp.people.read(NUMBER, person)
    await whatsapp.people.read(NUMBER, person)
    await brought()
    await graph.send({"type": "template", "template": {"name": "sale", "language": {"code": "ru"}}})
    await brought()

    id_ = sent.json()["messages"][0]["id"]
    told = {one["status"]: one for one in door.statuses if one["id"] == id_}
    assert list(told) == ["sent", "delivered", "read"]
    assert len(door.statuses) == 5
    assert {one["biz_opaque_callback_data"] for one in told.values()} == {"reply-7"}
    assert told["sent"]["recipient_id"] == person.wa_id
    assert told["sent"]["recipient_user_id"] == person.user_id
    assert told["sent"]["timestamp"] == str(int(clock().timestamp()))
    assert told["sent"]["pricing"] == {
        "billable": False,
        "pricing_model": "PMP",
        "category": "service",
        "type": "free_customer_service",
    }
    assert "expiration_timestamp" in told["sent"]["conversation"]
    assert "expiration_timestamp" not in told["delivered"]["conversation"]
    assert "pricing" not in told["read"]
    [charged, _] = [one["pricing"] for one in door.statuses[-2:]]
    assert (charged["billable"], charged["category"]) == (True, "marketing")


async def test_a_status_names_its_person_as_the_ids_allow(whatsapp, graph, hidden, door, brought):
    await whatsapp.people.send_text(NUMBER, hidden, "Здравствуйте")
    await graph.send({"to": None, "recipient": hidden.user_id, "type": "text", "text": {"body": "?"}})
    whatsapp.people.block(NUMBER, hidden)
    await graph.send({"to": None, "recipient": hidden.user_id, "type": "text", "text": {"body": "?"}})
    await brought()

    assert all("recipient_id" not in one for one in door.statuses)
    assert {one["recipient_user_id"] for one in door.statuses} == {hidden.user_id}
    contacts = {value["statuses"][0]["status"]: value.get("contacts") for value in door.values if "statuses" in value}
    assert contacts["sent"] == [{"profile": {"name": "Инна"}, "user_id": hidden.user_id}]
    assert contacts["delivered"] == [{"profile": {"name": "Инна", "username": "inna.k"}, "user_id": hidden.user_id}]
    assert contacts["failed"] is None


async def test_statuses_can_be_kept_back_shuffled_and_told_again(whatsapp, graph, person, door, brought):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    await brought()
    whatsapp.events.auto_statuses = False
    await graph.send({"type": "text", "text": {"body": "?"}})
    await brought()
    assert door.statuses == []

    chat = whatsapp.people.chat(NUMBER, person.user_id)
    whatsapp.people.report(whatsapp.state.numbers[NUMBER], chat, chat.messages[-1], "read")
    await brought()
    whatsapp.events.auto_statuses = whatsapp.events.shuffled_statuses = True
    async with whatsapp.people.batch():
        await graph.send({"type": "text", "text": {"body": "!"}})
    await brought()

    assert [one["status"] for one in door.statuses] == ["read", "delivered", "sent"]
    assert chat.messages[-1].status == "delivered"


async def test_a_door_that_is_shut_loses_nothing(whatsapp, person, number, open_door, brought):
    number.callback_url = "http://127.0.0.1:1/in"
    await whatsapp.people.send_text(NUMBER, person, "раз")
    assert whatsapp.webhooks.waiting == 1

    open_ = await open_door()
    number.callback_url = open_.url
    await whatsapp.people.send_text(NUMBER, person, "два")
    await whatsapp.people.wait_for(NUMBER, person.user_id, lambda _: len(whatsapp.webhooks.delivered) == 1)

    # Each webhook keeps the address that it set out for, and those behind it go past it.
    assert [one["text"]["body"] for one in open_.messages] == ["два"]
    assert whatsapp.webhooks.waiting == 1


async def test_the_sandbox_stops_while_webhooks_wait(open_whatsapp, person):
    sandbox = await open_whatsapp()
    sandbox.state.numbers[NUMBER].callback_url = "http://127.0.0.1:1/in"
    await sandbox.people.send_text(NUMBER, person, "раз")

    await sandbox.stop()

    assert sandbox.webhooks.waiting == 0
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(sandbox.url)
