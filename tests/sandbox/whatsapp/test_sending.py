"""What the real SDK sends stands in the person's chat as it would over Meta."""

from __future__ import annotations

import pytest
from pywa_async import types
from pywa_async.types.templates import BodyText, TemplateLanguage

NUMBER = "106540352242922"


@pytest.fixture
async def chat(whatsapp, person):
    """The person has just written."""
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    return whatsapp.people.chat(NUMBER, person.user_id)


async def test_words_come_by_number_and_by_business_scoped_id(whatsapp, sdk, chat, person):
    first = await sdk.send_message(person.wa_id, "Добрый день")
    second = await sdk.send_message(person.user_id, "Чем помочь?", reply_to_message_id=first.id)

    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == ["Добрый день", "Чем помочь?"]
    assert chat.find(second.id).reply_to == first.id
    assert [("to" in one["body"], "recipient" in one["body"]) for one in whatsapp.calls] == [
        (True, False),
        (False, True),
    ]
    assert whatsapp.violations == []


async def test_somebody_without_a_visible_number_is_reached_by_the_id_alone(whatsapp, sdk, graph, hidden, person):
    await whatsapp.people.send_text(NUMBER, hidden, "Здравствуйте")
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    text = {"type": "text", "text": {"body": "Ещё"}}

    await sdk.send_message(hidden.user_id, "Добрый день")
    told = (await graph.send({"to": None, "recipient": hidden.user_id, **text})).json()["contacts"]
    told += (await graph.send({"to": "+7 916 000-00-01", **text})).json()["contacts"]

    assert whatsapp.people.texts_from_business(NUMBER, hidden.user_id) == ["Добрый день", "Ещё"]
    assert told == [
        {"input": hidden.user_id, "user_id": hidden.user_id},
        {"input": person.wa_id, "user_id": person.user_id, "wa_id": person.wa_id},
    ]


async def test_buttons_can_be_pressed_and_rows_chosen_only_where_they_are(whatsapp, sdk, chat, person):
    buttons = [types.Button(title="Да", callback_data="yes"), types.Button(title="Нет", callback_data="no")]
    rows = [types.SectionRow(title="10:00", callback_data="t10", description="Анна")]
    asked = await sdk.send_message(person.wa_id, "Записать?", header="Запись", footer="Элита", buttons=buttons)
    listed = types.SectionList(button_title="Время", sections=[types.Section(title="Утро", rows=rows)])
    offered = await sdk.send_message(person.wa_id, "Когда?", buttons=listed)

    await whatsapp.people.press_button(NUMBER, person, asked.id, "yes")
    await whatsapp.people.choose_row(NUMBER, person, offered.id, "t10")

    assert [one.text for one in chat.messages if not one.from_business] == ["Здравствуйте", "Да", "10:00"]
    assert chat.find(offered.id).list_button == "Время"
    with pytest.raises(LookupError, match="no choice 'maybe'"):
        await whatsapp.people.press_button(NUMBER, person, asked.id, "maybe")
    with pytest.raises(LookupError, match="a list, not buttons"):
        await whatsapp.people.press_button(NUMBER, person, offered.id, "t10")
    with pytest.raises(LookupError, match="no list"):
        await whatsapp.people.choose_row(NUMBER, person, asked.id, "yes")
    with pytest.raises(LookupError, match="no message"):
        await whatsapp.people.press_button(NUMBER, person, "wamid.none", "yes")


async def test_contact_and_place_are_asked_for(whatsapp, sdk, chat, person):
    contact = await sdk.request_contact_info(person.wa_id, "Ваш номер?")
    place = await sdk.request_location(person.wa_id, "Где вы?")

    assert chat.find(contact.id).asks_contact
    assert chat.find(place.id).asks_location


async def test_every_other_kind_is_taken(whatsapp, sdk, chat, person):
    link = "https://example.com/file"
    address_card = types.Contact(
        name=types.Contact.Name(formatted_name="Анна", first_name="Анна"),
        phones=[types.Contact.Phone(phone="+79160000002")],
    )
    await sdk.send_image(person.wa_id, link, caption="Стрижка")
    await sdk.send_audio(person.wa_id, link, mime_type="audio/mpeg")
    await sdk.send_video(person.wa_id, link)
    await sdk.send_document(person.wa_id, link, filename="прайс.pdf", caption="Прайс")
    await sdk.send_sticker(person.wa_id, link)
    await sdk.send_location(person.wa_id, 55.75, 37.61, name="Элита", address="Тверская, 1")
    await sdk.send_contact(person.wa_id, address_card)

    kinds = [one.type for one in chat.messages if one.from_business]
    assert kinds == ["image", "audio", "video", "document", "sticker", "location", "contacts"]
    assert whatsapp.violations == []


async def test_a_reaction_stands_under_its_message_and_can_be_taken_away(whatsapp, sdk, chat, person):
    message = chat.messages[0]

    await sdk.send_reaction(person.wa_id, "👍", message.id)
    assert message.reactions == {"business": "👍"}
    await sdk.remove_reaction(person.wa_id, message.id)

    assert message.reactions == {}
    assert len(chat.messages) == 1


async def test_a_template_is_read_with_its_words_filled_in(whatsapp, sdk, number, person):
    whatsapp.add_template(
        number, "visit", "ru", "{{2}}, ждём вас в {{1}}", header="Напоминание", footer="Элита", buttons=("Приду", "Нет")
    )
    whatsapp.people.add_person(person)

    sent = await sdk.send_template(person.wa_id, "visit", TemplateLanguage("ru"), [BodyText.params("10:00", "Елена")])

    message = whatsapp.people.chat(NUMBER, person.user_id).find(sent.id)
    assert message.text == "Напоминание\nЕлена, ждём вас в 10:00\nЭлита"
    assert [one["title"] for one in message.choices] == ["Приду", "Нет"]


async def test_reading_marks_all_that_came_before_and_typing_lasts_until_the_answer(whatsapp, sdk, chat, person):
    second = await whatsapp.people.send_text(NUMBER, person, "Вы тут?")
    third = await whatsapp.people.send_text(NUMBER, person, "Ау")

    await sdk.indicate_typing(second)

    assert [one.status for one in chat.messages] == ["read", "read", "sent"]
    assert chat.read_up_to == second
    assert chat.typing
    await sdk.send_message(person.wa_id, "Да")
    assert not chat.typing
    await sdk.mark_message_as_read(third)
    assert chat.read_up_to == third


async def test_two_numbers_have_chats_of_their_own(whatsapp, sdk, chat, number, person):
    whatsapp.add_number(number.app, id_="222", token="token-of-222", account=number.account)

    await sdk.send_message(person.wa_id, "Добрый день")

    assert whatsapp.people.chat("222", person.user_id) is None
    assert len(chat.messages) == 2
