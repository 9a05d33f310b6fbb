"""What people do reaches the real SDK's handlers as Meta's pages show it."""

from __future__ import annotations

import json

import pytest
from pywa_async import handlers, types

NUMBER = "106540352242922"


@pytest.fixture
def taken(sdk, door, brought):
    """What the SDK makes of all that came to the door, in order."""
    heard = []

    async def keep(_, update):
        heard.append(update)

    for kind in (
        handlers.MessageHandler,
        handlers.CallbackButtonHandler,
        handlers.CallbackSelectionHandler,
        handlers.EditedMessageHandler,
        handlers.DeletedMessageHandler,
        handlers.MessageStatusHandler,
    ):
        sdk.add_handlers(kind(keep))

    async def take():
        await brought()
        heard.clear()
        for body, signature in door.came:
            assert await sdk.webhook_update_validator(body, signature) is None
            assert await sdk.webhook_update_handler(body) == ("ok", 200)
        door.came.clear()
        return list(heard)

    return take


async def test_words_say_who_wrote_to_whom_and_when(whatsapp, person, taken, clock):
    id_ = await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    await whatsapp.people.send_text(NUMBER, person, "Вы тут?", reply_to=id_)

    first, second = sorted(await taken(), key=lambda one: one.text)[::-1]
    assert (first.id, first.text, first.type) == (id_, "Здравствуйте", types.MessageType.TEXT)
    assert (first.from_user.wa_id, first.from_user.bsuid, first.from_user.name) == (
        person.wa_id,
        person.user_id,
        "Елена",
    )
    assert first.timestamp.timestamp() == int(clock().timestamp())
    assert (first.metadata.phone_number_id, first.metadata.display_phone_number) == (NUMBER, "74950000001")
    assert second.reply_to_message.id == id_


async def test_whoever_shows_a_user_name_shows_no_number(whatsapp, hidden, taken, door, brought):
    await whatsapp.people.send_text(NUMBER, hidden, "Здравствуйте")
    await brought()
    [value] = door.values

    assert value["contacts"] == [{"profile": {"name": "Инна", "username": "inna.k"}, "user_id": hidden.user_id}]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == hidden.user_id
    [message] = await taken()
    assert (message.from_user.wa_id, message.from_user.username) == (None, "inna.k")


async def test_a_pressed_button_and_a_chosen_row_name_the_message(whatsapp, sdk, person, taken):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    asked = await sdk.send_message(person.wa_id, "?", buttons=[types.Button(title="Да", callback_data="yes")])
    rows = [types.SectionRow(title="10:00", callback_data="t10", description="Анна")]
    offered = await sdk.send_message(
        person.wa_id, "?", buttons=types.SectionList("Время", sections=[types.Section("Утро", rows=rows)])
    )
    await taken()

    await whatsapp.people.press_button(NUMBER, person, asked.id, "yes")
    [pressed] = await taken()
    await whatsapp.people.choose_row(NUMBER, person, offered.id, "t10")
    [chosen] = await taken()

    assert (pressed.data, pressed.title, pressed.reply_to_message.id) == ("yes", "Да", asked.id)
    assert (chosen.data, chosen.title, chosen.description) == ("t10", "10:00", "Анна")
    assert chosen.reply_to_message.id == offered.id


async def test_a_quick_reply_of_a_template_is_a_kind_of_its_own(whatsapp, graph, number, person, taken, door, brought):
    whatsapp.add_template(number, "visit", "ru", "Придёте?", buttons=("Приду", "Нет"))
    whatsapp.people.add_person(person)
    button = {
        "type": "button",
        "sub_type": "quick_reply",
        "index": 0,
        "parameters": [{"type": "payload", "payload": "come"}],
    }
    sent = await graph.send(
        {"type": "template", "template": {"name": "visit", "language": {"code": "ru"}, "components": [button]}}
    )
    await taken()

    await whatsapp.people.press_button(NUMBER, person, sent.json()["messages"][0]["id"], "come")
    await brought()
    assert door.messages[0]["button"] == {"payload": "come", "text": "Приду"}
    [pressed] = await taken()

    assert (pressed.data, pressed.title) == ("come", "Приду")


async def test_files_come_with_their_kind_and_can_be_fetched(whatsapp, sdk, person, taken):
    people = whatsapp.people
    await people.send_voice(NUMBER, person, b"OggS-voice")
    await people.send_image(NUMBER, person, b"png", "Вот так")
    await people.send_document(NUMBER, person, b"%PDF", filename="прайс.pdf", mime_type="application/pdf")
    await people.send_sticker(NUMBER, person, b"webp", animated=True)

    came = {one.type.value: one for one in await taken()}
    assert (came["audio"].audio.voice, came["audio"].audio.mime_type) == (True, "audio/ogg; codecs=opus")
    assert came["image"].caption == "Вот так"
    assert came["document"].document.filename == "прайс.pdf"
    assert came["sticker"].sticker.animated
    bodies = {kind: await getattr(one, kind).get_bytes() for kind, one in came.items()}
    assert bodies == {"audio": b"OggS-voice", "image": b"png", "document": b"%PDF", "sticker": b"webp"}


async def test_a_contact_says_whether_it_answers_a_request(whatsapp, sdk, hidden, taken, door, brought):
    await whatsapp.people.send_text(NUMBER, hidden, "Здравствуйте")
    await whatsapp.people.share_contact(NUMBER, hidden, "+79160000009")
    await brought()
    [unasked] = [one for one in door.messages if one["type"] == "contacts"]
    asked = await sdk.request_contact_info(hidden.user_id, "Ваш номер?")
    await taken()

    await whatsapp.people.share_contact(NUMBER, hidden, "+79160000009")
    await brought()
    [own] = door.messages
    [message] = await taken()
    await whatsapp.people.share_contact(NUMBER, hidden, "+79160000010", own=False)
    await brought()
    [foreign] = door.messages

    assert (own["origin"], "vcard" in own["contacts"][0], own["context"]["id"]) == ("contact_request", False, asked.id)
    assert message.contacts.first_wa_id == "79160000009"
    assert (foreign["origin"], "vcard" in foreign["contacts"][0]) == ("other", True)
    assert (unasked["origin"], "vcard" in unasked["contacts"][0], "context" in unasked) == ("other", True, False)


async def test_places_reactions_and_orders(whatsapp, sdk, person, taken):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    asked = await sdk.request_location(person.wa_id, "Где вы?")
    await taken()

    await whatsapp.people.send_location(NUMBER, person, 55.75, 37.61)
    [place] = await taken()
    await whatsapp.people.react(NUMBER, person, asked.id, "👍")
    [reaction] = await taken()
    assert whatsapp.people.chat(NUMBER, person.user_id).find(asked.id).reactions == {"person": "👍"}
    await whatsapp.people.react(NUMBER, person, asked.id, "")
    [removed] = await taken()
    item = {"product_retailer_id": "p1", "quantity": 2, "item_price": 500, "currency": "RUB"}
    await whatsapp.people.send_order(NUMBER, person, "194", [item])
    [order] = await taken()

    assert (place.location.latitude, place.reply_to_message.id) == (55.75, asked.id)
    assert (reaction.reaction.emoji, reaction.reaction.message_id) == ("👍", asked.id)
    assert removed.reaction.is_removed
    assert order.order.products[0].quantity == 2
    with pytest.raises(LookupError):
        await whatsapp.people.react(NUMBER, person, "wamid.none", "👍")


async def test_what_cannot_be_shown_is_told_as_unsupported(whatsapp, person, taken):
    await whatsapp.people.send_unsupported(NUMBER, person)

    [message] = await taken()
    assert message.type is types.MessageType.UNSUPPORTED
    assert message.error.code == 131051


async def test_edits_and_deletions_are_told_only_where_the_business_app_is_used_too(whatsapp, number, person, taken):
    id_ = await whatsapp.people.send_text(NUMBER, person, "Завтра")
    await taken()

    await whatsapp.people.edit_text(NUMBER, person, id_, "Послезавтра")
    [unsupported] = await taken()
    number.coexistence = True
    await whatsapp.people.edit_text(NUMBER, person, id_, "Сегодня")
    [edited] = await taken()
    assert await whatsapp.people.take_back(NUMBER, person, id_) is not None
    [deleted] = await taken()
    number.coexistence = False
    other = await whatsapp.people.send_text(NUMBER, person, "Завтра")
    await taken()
    assert await whatsapp.people.take_back(NUMBER, person, other) is None

    assert unsupported.type is types.MessageType.UNSUPPORTED
    assert (edited.original_message_id, edited.message.text) == (id_, "Сегодня")
    assert deleted.original_message_id == id_
    assert await taken() == []
    assert not whatsapp.people.chat(NUMBER, person.user_id).messages


async def test_an_opened_chat_and_anything_else_can_be_told(whatsapp, person, taken, door, brought):
    await whatsapp.people.request_welcome(NUMBER, person)
    [opened] = await taken()
    assert opened.type is types.MessageType.REQUEST_WELCOME
    await whatsapp.people.send_anything(
        NUMBER, person, {"type": "text", "text": {"body": "x"}, "referral": {"source_id": "1"}}
    )
    await brought()
    assert door.messages[0]["referral"] == {"source_id": "1"}


async def test_statuses_are_understood(whatsapp, sdk, person, taken):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    await taken()
    sent = await sdk.send_message(person.wa_id, "?", tracker="reply-7")

    first, second = sorted(await taken(), key=lambda one: one.status.value)

    assert (first.status, second.status) == (types.MessageStatusType.DELIVERED, types.MessageStatusType.SENT)
    assert {first.id, second.id} == {sent.id}
    assert second.tracker == "reply-7"
    assert second.pricing.billable is False
    assert second.from_user.wa_id == person.wa_id


async def test_waiting_in_vain_shows_the_chat(whatsapp, person):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")

    with pytest.raises(TimeoutError, match="person: Здравствуйте"):
        await whatsapp.people.wait_for(NUMBER, person.user_id, lambda chat: len(chat.messages) > 1, within_s=0.01)


async def test_the_page_holds_a_phone_over_http(whatsapp, http, sdk, graph):
    chat = f"{whatsapp.url}/sandbox/whatsapp/numbers/{NUMBER}/chats/79160000001"

    async def act(**body):
        return (await http.post(chat, content=json.dumps({"name": "Елена", **body}))).json()

    [number] = (await http.get(f"{whatsapp.url}/sandbox/whatsapp/numbers")).json()
    assert number == {"id": NUMBER, "display": "+7 495 000-00-01", "name": "Бизнес"}
    assert (await http.get(chat)).json()["messages"] == []
    assert await act(do="text", text="Здравствуйте") == {"ok": True}
    asked = await sdk.send_message("79160000001", "?", buttons=[types.Button(title="Да", callback_data="yes")])
    assert await act(do="press", message_id=asked.id, id="yes") == {"ok": True}
    assert "no choice" in (await act(do="press", message_id=asked.id, id="no"))["error"]
    assert "unknown action" in (await act(do="fly"))["error"]
    await sdk.request_contact_info("79160000001", "Ваш номер?")
    shown = (await http.get(chat, params={"after": "1", "wait": "5"})).json()
    assert [one["text"] for one in shown["messages"]] == ["Здравствуйте", "?", "Да", "Ваш номер?"]
    assert shown["ask_contact"]
    assert await act(do="contact", phone="+79160000001") == {"ok": True}
    assert await act(do="read") == {"ok": True}

    shown = (await http.get(chat)).json()
    assert shown["ask_contact"] is None
    assert [one["status"] for one in shown["messages"] if one["from_business"]] == ["read", "read"]
    assert (await http.get(chat.replace(NUMBER, "404"))).status_code == 404


async def test_what_the_business_types_on_its_own_phone_is_told_to_an_app_that_asked_for_it(
    whatsapp, number, person, door, brought
):
    with pytest.raises(LookupError, match="not used"):
        await whatsapp.business_app.type_text(NUMBER, person, "Здравствуйте")
    number.coexistence = True
    await whatsapp.business_app.type_text(NUMBER, person, "Не подписан")
    await brought()
    assert door.came == []

    number.app.fields.add("smb_message_echoes")
    id_ = await whatsapp.business_app.type_text(NUMBER, person, "Здравствуйте")
    await brought()

    [entry] = json.loads(door.came[-1][0])["entry"]
    [change] = entry["changes"]
    [echo] = change["value"]["message_echoes"]
    assert change["field"] == "smb_message_echoes"
    assert (echo["from"], echo["to"], echo["to_user_id"], echo["id"]) == (
        number.digits,
        person.wa_id,
        "RU.1502001",
        id_,
    )
    assert echo["text"] == {"body": "Здравствуйте"}
    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == ["Не подписан", "Здравствуйте"]
