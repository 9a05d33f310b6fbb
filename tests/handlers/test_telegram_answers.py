"""Telegram's published answers, over HTTP, through aiogram into our code; the local Telegram held against them."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiogram.exceptions import TelegramBadRequest
from aiohttp import ClientSession, web
from pydantic import SecretStr

from bot.channels.care import check
from bot.channels.refused import ChannelRefused
from bot.channels.telegram import add_telegram
from bot.companies import create_from_file
from db.records import ChannelId, DialogueId, OutgoingReply, new_id
from handlers.base import ChannelBroken, ClientUnreachable, DeliveryDelayed, DeliveryError, Flooded, ReplyRefused
from handlers.telegram.bots import Bots
from handlers.telegram.delivery import deliver
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User

FIXTURES = Path(__file__).parent / "fixtures" / "telegram_answers"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
TOKEN = "700000009:SANDBOX-only-works-in-the-tests-000009"
BOT = 700000009
ELENA = User(id=5, first_name="Елена", last_name="Тестова", username="elena_test")
NOWHERE = "http://127.0.0.1:1/hook"
BUTTONS = [[{"text": "Да, записать", "action": "yes:1"}, {"text": "Нет", "action": "no:1"}]]


def read(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


class BotApi:
    """Answers each method with its published bodies, in order; keeps what it was asked."""

    def __init__(self):
        self.answers, self.asked, self.url = defaultdict(deque), [], ""

    def will_answer(self, *names):
        for name in names:
            self.answers[name.split("__")[0]].append(read(name))

    async def handle(self, request):
        method = request.match_info["method"]
        self.asked.append((method, dict(await request.post())))
        body = self.answers[method].popleft()
        return web.json_response(body, status=body.get("error_code", 200))


@pytest.fixture
async def api(listen):
    server = BotApi()
    server.url = await listen("/bot{token}/{method}", server.handle)
    return server


@pytest.fixture
async def bot(api):
    bots = Bots(lambda _: {}, api_url=api.url)
    yield bots.open(SecretStr(TOKEN))
    await bots.close()


async def delivered(bot, chat=5, **payload):
    """Deliver one reply; return the messenger's ids of what it took."""
    outgoing = OutgoingReply(
        id=new_id(),
        dialogue_id=DialogueId(new_id()),
        channel_id=ChannelId(new_id()),
        dialogue_key=f"{chat}:{chat}:",
        payload=payload,
    )

    async def permit():
        return

    return [message_id async for message_id in deliver(bot, outgoing, permit)]


async def test_a_reply_with_buttons_is_taken_and_its_id_is_known(api, bot):
    api.will_answer("answerCallbackQuery__answered", "editMessageReplyMarkup__closed", "sendMessage__buttons")

    taken = await delivered(bot, text="Записать вас?", buttons=BUTTONS, acknowledges="77", closes_buttons_of="42")

    assert taken == ["43"]
    assert [method for method, _ in api.asked] == ["answerCallbackQuery", "editMessageReplyMarkup", "sendMessage"]
    sent = api.asked[2][1]
    assert (sent["chat_id"], sent["text"]) == ("5", "Записать вас?")
    assert json.loads(sent["reply_markup"]) == read("sendMessage__buttons")["result"]["reply_markup"]


REFUSALS = {
    "sendMessage__flood": Flooded,
    "sendMessage__server_error": DeliveryDelayed,
    "sendMessage__blocked": ClientUnreachable,
    "sendMessage__deactivated": ClientUnreachable,
    "sendMessage__never_started": ClientUnreachable,
    "sendMessage__chat_not_found": ClientUnreachable,
    "sendMessage__private_chat_not_found": ClientUnreachable,
    "sendMessage__became_supergroup": ClientUnreachable,
    "sendMessage__empty_text": ReplyRefused,
    "sendMessage__unauthorized": ChannelBroken,
    "sendMessage__not_found": ChannelBroken,
}


@pytest.mark.parametrize(("name", "expected"), REFUSALS.items())
async def test_each_refusal_says_what_is_to_be_done(api, bot, name, expected):
    api.will_answer(name)

    with pytest.raises(DeliveryError) as refused:
        await delivered(bot, text="Здравствуйте!")

    assert type(refused.value) is expected
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(("chat", "everyone"), [(5, True), (-100200, False)])
async def test_a_flood_limit_rests_as_long_as_telegram_says(api, bot, chat, everyone):
    api.will_answer("sendMessage__flood")

    with pytest.raises(Flooded) as refused:
        await delivered(bot, chat, text="Здравствуйте!")

    assert (refused.value.rest, refused.value.everyone) == (timedelta(seconds=7), everyone)


@pytest.mark.parametrize(
    "courtesies",
    [
        ("answerCallbackQuery__too_old",),
        ("answerCallbackQuery__answered", "editMessageReplyMarkup__not_modified"),
    ],
)
async def test_a_press_that_is_too_old_or_buttons_that_are_gone_never_hold_up_the_words(api, bot, courtesies):
    api.will_answer(*courtesies, "sendMessage__text")

    assert await delivered(bot, text="Здравствуйте!", acknowledges="77", closes_buttons_of="42") == ["43"]


@pytest.fixture
async def company(core, api):
    """A company whose Telegram is the one that answers by the book."""
    settings = core.settings.model_copy(update={"telegram_api_url": api.url, "public_url": "https://bots.example.org"})
    core = replace(core, settings=settings)
    return core, (await create_from_file(core.companies, name="Элита", slug="elita", file=None)).id


async def test_a_bot_is_checked_stored_and_its_webhook_set(api, company):
    core, company_id = company
    api.will_answer("getMe__bot", "setWebhook__set", "getMe__bot", "getWebhookInfo__last_error")

    added = await add_telegram(core, company_id, SecretStr(TOKEN))
    [channel] = await core.companies.list_channels(company_id)
    checked = await check(core, channel)

    assert (added["bot"], added["webhook"]) == ("@sandbox_bot", "set below https://bots.example.org")
    assert channel.external_id == str(BOT)
    assert api.asked[1][1]["url"].startswith("https://bots.example.org/api/v1/telegram/webhook/")
    assert (checked["webhook_set"], checked["pending_updates"]) == (True, 2)
    assert checked["last_error"] == "Wrong response from the webhook: 503 Service Unavailable"


@pytest.mark.parametrize("name", ["getMe__unauthorized", "getMe__invalid_token", "getMe__not_found"])
async def test_a_bad_token_is_refused_and_nothing_is_stored(api, company, name):
    core, company_id = company
    api.will_answer(name)

    with pytest.raises(ChannelRefused, match="Telegram refused") as refused:
        await add_telegram(core, company_id, SecretStr(TOKEN))

    assert TOKEN not in str(refused.value)
    assert await core.companies.list_channels(company_id) == []


async def test_a_webhook_is_taken_back_before_polling(api, bot):
    api.will_answer("deleteWebhook__deleted")

    assert await bot.delete_webhook(drop_pending_updates=False) is True
    # Updates that wait are clients' messages.
    assert api.asked[0][1].get("drop_pending_updates") != "true"


async def test_a_file_is_found_by_its_id(api, bot):
    api.will_answer("getFile__voice", "getFile__invalid_file_id")

    assert (await bot.get_file("AwACAgIAAxkBAAIBQ2")).file_path == "voice/file_7.oga"
    with pytest.raises(TelegramBadRequest, match="invalid file_id"):
        await bot.get_file("nonsense")


# ---- the local Telegram, held against the same bodies


@pytest.fixture
async def telegram(clock):
    sandbox = TelegramSandbox(clock=clock)
    bot = sandbox.add_bot(TOKEN)
    await sandbox.start()
    async with ClientSession() as session:

        async def call(method, token=TOKEN, **parameters):
            form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
            async with session.post(f"{sandbox.url}/bot{token}/{method}", data=form) as response:
                return response.status, await response.json()

        await sandbox.people.send_voice(BOT, ELENA)
        yield sandbox, bot, call
    await sandbox.stop()


async def answer_of(telegram, name):
    """Bring the local Telegram into the state that the fixture is of, and return its answer."""
    sandbox, _, call = telegram
    people = sandbox.people
    keyboard = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes:1"}]]}
    match name:
        case "getMe__unauthorized":
            return await call("getMe", token="1:" + "x" * 35)
        case "getMe__not_found":
            return await call("getMe", token="nonsense")
        case "getWebhookInfo__last_error":
            webhook = sandbox.state.bots[BOT].webhook
            webhook.url, webhook.last_error_date, webhook.last_error_message = NOWHERE, 1, "x"
            sandbox.state.bots[BOT].allowed_updates = ["message"]
        case "sendMessage__buttons":
            return await call("sendMessage", chat_id="5", text="x", reply_markup=keyboard)
        case "sendMessage__chat_not_found":
            return await call("sendMessage", chat_id="99", text="x")
        case "sendMessage__empty_text":
            return await call("sendMessage", chat_id="5", text=" ")
        case "sendMessage__blocked":
            await people.block_bot(BOT, ELENA)
        case "sendMessage__deactivated":
            sandbox.state.bots[BOT].chats[ELENA.id].deactivated = True
        case "sendMessage__unauthorized":
            return await call("sendMessage", token="1:" + "x" * 35)
        case "sendMessage__not_found":
            return await call("sendMessage", token="nonsense")
        case "sendMessage__never_started":
            other = "700000010:SANDBOX-only-works-in-the-tests-000010"
            sandbox.add_bot(other)
            return await call("sendMessage", token=other, chat_id="5", text="x")
        case "sendMessage__flood":
            sandbox.fail_next("sendmessage", code=429, retry_after=7)
        case "sendMessage__server_error":
            sandbox.fail_next("sendmessage", code=500)
        case "editMessageReplyMarkup__closed" | "editMessageReplyMarkup__not_modified":
            markup = keyboard if name.endswith("closed") else None
            _, sent = await call("sendMessage", chat_id="5", text="x", **({"reply_markup": markup} if markup else {}))
            return await call("editMessageReplyMarkup", chat_id="5", message_id=str(sent["result"]["message_id"]))
        case "answerCallbackQuery__answered":
            _, sent = await call("sendMessage", chat_id="5", text="x", reply_markup=keyboard)
            await people.press_button(BOT, ELENA, sent["result"]["message_id"], "yes:1")
            _, updates = await call("getUpdates")
            return await call("answerCallbackQuery", callback_query_id=updates["result"][-1]["callback_query"]["id"])
        case "answerCallbackQuery__too_old":
            return await call("answerCallbackQuery", callback_query_id="7")
        case "getFile__voice":
            return await call("getFile", file_id="file-1")
        case "getFile__invalid_file_id":
            return await call("getFile", file_id="nonsense")
    parameters = {"sendMessage": {"chat_id": "5", "text": "x"}, "setWebhook": {"url": NOWHERE}}
    method = name.split("__")[0]
    return await call(method, **parameters.get(method, {}))


NOT_IN_THE_SANDBOX = {
    "getMe__invalid_token": "a server of one's own says it in these words; ours says it as api.telegram.org does",
    "sendMessage__became_supergroup": "its groups never grow",
    "sendMessage__private_chat_not_found": "it knows chats, or does not",
}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_IN_THE_SANDBOX])
async def test_the_local_telegram_answers_in_the_same_shape(telegram, name):
    published = read(name)

    status, answered = await answer_of(telegram, name)

    assert shape(answered) == shape(published)
    assert status == published.get("error_code", 200)
    assert answered.get("description") == published.get("description")


def shape(value):
    """Return keys and types, a list by its first entry."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return type(value).__name__
