"""Updates as Telegram sends them, into messages; replies out in pieces that Telegram takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from db.records import (
    Channel,
    ChannelId,
    ChannelStatus,
    ChannelType,
    CompanyId,
    Dialogue,
    DialogueState,
    StoredUpdate,
    dialogue_id_of,
    new_id,
)
from handlers.base import TurnCollector, UnreadableUpdate
from handlers.pieces import split_text, utf16_units
from handlers.telegram.bots import Bots
from handlers.telegram.delivery import address_of
from handlers.telegram.dispatch import TelegramDispatch, build_dispatcher
from handlers.telegram.intake import TelegramIntake, dialogue_key
from middlewares.fsm import StateBuffer, TurnStorage, current_state
from middlewares.tenant import TenantMiddleware

FIXTURES = Path(__file__).parent / "fixtures" / "telegram"
CHANNEL = Channel(
    id=ChannelId(new_id()),
    company_id=CompanyId(new_id()),
    type=ChannelType.TELEGRAM,
    external_id="42",
    name="@bot",
    status=ChannelStatus.ACTIVE,
    options={},
    secrets="",
)


def read(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


class Scopes:
    """Remembers whose scope was opened."""

    opened: ClassVar[list[CompanyId]] = []

    async def open(self, company_id):
        from db.records import AgentSettings, Company, CompanySnapshot
        from orchestration.scope import CompanyScope

        self.opened.append(company_id)
        company = Company(id=company_id, slug="elita", name="Элита")
        snapshot = CompanySnapshot(company=company, agent=AgentSettings(), branches=(), crm=None)
        return CompanyScope(snapshot=snapshot, open_crm=lambda branch: None)


@pytest.fixture
async def dispatch(clock):
    bots = Bots(lambda _: {"token": SecretStr("42:token")})
    dispatcher = build_dispatcher(TurnStorage(), clock)
    dispatcher.update.outer_middleware(TenantMiddleware(Scopes()))
    yield TelegramDispatch(bots, dispatcher)
    await bots.close()


async def feed(dispatch, clock, update):
    return (await collect(dispatch, clock, update)).messages


async def collect(dispatch, clock, update):
    payload = update if isinstance(update, bytes) else json.dumps(update).encode()
    dialogue = Dialogue(
        id=dialogue_id_of(CHANNEL.id, "5:5:"), company_id=CHANNEL.company_id, channel_id=CHANNEL.id, key="5:5:"
    )
    stored = StoredUpdate(
        id=new_id(),
        company_id=CHANNEL.company_id,
        channel_id=CHANNEL.id,
        dialogue_id=dialogue.id,
        dialogue_key="5:5:",
        update_key="1",
        payload=payload,
        accepted_at=clock(),
        attempts=0,
    )
    collector = TurnCollector(dialogue=dialogue, now=clock())
    token = current_state.set(StateBuffer(DialogueState()))
    try:
        await dispatch.feed(CHANNEL, stored, collector)
    finally:
        current_state.reset(token)
    return collector


async def test_text_and_sender_are_read(dispatch, clock):
    [message] = await feed(dispatch, clock, read("message__text"))

    assert (message.text, message.sender.name, message.sender.language) == ("Хочу постричься", "Елена Тестова", "ru")
    assert message.is_free_text


@pytest.mark.parametrize(
    ("text", "command"), [("/start", "start"), ("/start ref_1", "start"), ("/help@bot", "help"), ("/my", "my")]
)
async def test_commands_are_read(dispatch, clock, text, command):
    update = read("message__text")
    update["message"]["text"] = text

    [message] = await feed(dispatch, clock, update)

    assert message.command == command
    assert not message.is_free_text


async def test_only_ones_own_contact_proves_a_phone(dispatch, clock):
    own = read("message__contact")
    [proved] = await feed(dispatch, clock, own)
    own["message"]["contact"]["user_id"] = 6
    [foreign] = await feed(dispatch, clock, own)
    del own["message"]["contact"]["user_id"]
    [nobodys] = await feed(dispatch, clock, own)

    assert proved.proved_phone == "+79160000001"
    for message in (foreign, nobodys):
        assert message.proved_phone is None
        assert message.foreign_contact


async def test_a_pressed_button_carries_its_words_and_its_message(dispatch, clock):
    [message] = await feed(dispatch, clock, read("callback_query"))

    assert (message.action, message.label) == ("yes:1", "Да, записать")
    assert (message.press_id, message.pressed_message_id) == ("4382bfdwdsb323b2d9", "12")


async def test_a_voice_note_is_an_attachment(dispatch, clock):
    [message] = await feed(dispatch, clock, read("message__voice"))

    assert [one.kind for one in message.attachments] == ["voice"]


async def test_changed_words_say_which_message_they_change(dispatch, clock):
    [message] = await feed(dispatch, clock, read("edited_message"))

    assert (message.edits, message.text) == ("11", "Хочу покраситься")


@pytest.mark.parametrize("name", ["message__group", "my_chat_member"])
async def test_what_is_not_a_clients_word_is_left_alone(dispatch, clock, name):
    assert await feed(dispatch, clock, read(name)) == []


async def test_who_blocks_the_bot_cannot_be_reached_and_who_unblocks_it_or_writes_can(dispatch, clock):
    blocked = read("my_chat_member")
    change = blocked["my_chat_member"]
    swapped = {"old_chat_member": change["new_chat_member"], "new_chat_member": change["old_chat_member"]}
    in_a_group = {**change, "chat": {"id": -100, "type": "supergroup", "title": "Staff"}}
    updates = [
        blocked,
        {"update_id": 1, "my_chat_member": {**change, **swapped}},
        {"update_id": 2, "my_chat_member": in_a_group},
        read("message__text"),
    ]

    assert [(await collect(dispatch, clock, update)).reachable for update in updates] == [False, True, None, True]


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"update_id": 1, "message": {"message_id": "x"}}'])
async def test_what_is_no_update_is_unreadable(dispatch, clock, payload):
    with pytest.raises(UnreadableUpdate):
        await feed(dispatch, clock, payload)


async def test_the_tenant_middleware_opens_the_channels_own_company(dispatch, clock):
    Scopes.opened.clear()

    await feed(dispatch, clock, read("message__text"))

    assert set(Scopes.opened) == {CHANNEL.company_id}


@pytest.mark.parametrize("name", ["message__text", "message__contact", "message__voice", "callback_query"])
def test_the_dialogue_is_chat_user_and_business_connection(name):
    assert dialogue_key(read(name)) == "5:5:"


@pytest.mark.parametrize(
    ("name", "text", "urgent"),
    [
        ("message__text", "Хочу постричься", False),
        ("message__text", "/start", True),
        ("message__contact", None, True),
        ("callback_query", None, True),
    ],
)
def test_only_plain_words_wait_for_the_rest_of_a_burst(name, text, urgent):
    update = read(name)
    if text:
        update["message"]["text"] = text

    [accepted] = TelegramIntake().accept(json.dumps(update).encode())

    assert accepted.urgent is urgent


def test_a_business_message_is_a_dialogue_of_its_own():
    update = read("message__text")
    event = update.pop("message") | {"business_connection_id": "bc1"}

    key = dialogue_key({**update, "business_message": event})

    assert key == "5:5:bc1"
    assert address_of(key) == {"chat_id": 5, "business_connection_id": "bc1"}


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("", 10, []),
        ("short", 10, ["short"]),
        ("one two three", 8, ["one two", "three"]),
        ("para one\n\npara two", 10, ["para one", "para two"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
    ],
)
def test_a_long_text_is_cut_where_it_may_be_and_never_through_a_character(text, limit, pieces):
    assert split_text(text, limit, utf16_units) == pieces
