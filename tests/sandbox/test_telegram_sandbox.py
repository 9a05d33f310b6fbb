"""The local Telegram refuses what Telegram refuses, and brings updates as Telegram does."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import ClientSession, web

from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User

TOKEN = "700000009:SANDBOX-only-works-in-the-tests-000009"
BOT = 700000009
USER = User(id=5, first_name="A")


@pytest.fixture
async def telegram(clock):
    sandbox = TelegramSandbox(clock=clock, retry_base_s=0.01, chat_burst=3, chat_per_s=0.5)
    sandbox.add_bot(TOKEN)
    await sandbox.start()
    async with ClientSession() as session:
        sandbox.session = session
        yield sandbox
    await sandbox.stop()


async def call(telegram, method, token=TOKEN, **parameters):
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    async with telegram.session.post(f"{telegram.url}/bot{token}/{method}", data=form) as response:
        body = await response.json()
        assert response.status == body.get("error_code", 200)
        return body


async def refusal(telegram, method, **parameters):
    return (await call(telegram, method, **parameters)).get("description")


async def test_only_known_tokens_and_methods_are_served(telegram):
    assert (await call(telegram, "getMe"))["result"]["id"] == BOT
    assert (await call(telegram, "GETME"))["ok"]
    assert (await call(telegram, "getMe", token="1:" + "x" * 35))["error_code"] == 401
    assert (await call(telegram, "getMe", token="nonsense"))["error_code"] == 404
    assert (await call(telegram, "fly"))["error_code"] == 404


BUTTON = {"text": "x", "callback_data": "y"}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"chat_id": "5"}, "message text is empty"),
        ({"chat_id": "5", "text": "  "}, "message text is empty"),
        ({"chat_id": "5", "text": "x" * 4097}, "message is too long"),
        ({"chat_id": "5", "text": "😀" * 2049}, "message is too long"),
        ({"text": "x"}, "chat_id is empty"),
        ({"chat_id": "99", "text": "x"}, "chat not found"),
        ({"chat_id": "5", "text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        ({"chat_id": "5", "text": "<x>y</x>", "parse_mode": "HTML"}, "Unsupported start tag"),
        ({"chat_id": "5", "text": "a.b", "parse_mode": "MarkdownV2"}, "is reserved"),
        ({"chat_id": "5", "text": "*a", "parse_mode": "Markdown"}, "can't parse entities"),
        ({"chat_id": "5", "text": "a", "parse_mode": "Wiki"}, "unsupported parse_mode"),
        (
            {
                "chat_id": "5",
                "text": "a",
                "reply_markup": {"inline_keyboard": [[{**BUTTON, "callback_data": "я" * 33}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
        (
            {"chat_id": "5", "text": "a", "reply_markup": {"inline_keyboard": [[{"text": "x"}]]}},
            "Text buttons are unallowed",
        ),
        ({"chat_id": "5", "text": "a", "reply_markup": {"inline_keyboard": [{"text": "x"}]}}, "Array of Arrays"),
        ({"chat_id": "5", "text": "a", "reply_markup": "{"}, "can't parse reply_markup"),
    ],
)
async def test_what_breaks_a_limit_is_refused_in_telegrams_words(telegram, parameters, says):
    await telegram.people.send_text(BOT, USER, "hi")

    assert says in await refusal(telegram, "sendMessage", **parameters)


async def test_markup_is_read_and_messages_are_edited_and_deleted(telegram):
    await telegram.people.send_text(BOT, USER, "hi")
    sent = await call(
        telegram,
        "sendMessage",
        chat_id="5",
        text="<b>a</b> &amp; b",
        parse_mode="HTML",
        reply_markup={"inline_keyboard": [[BUTTON]]},
    )
    message_id = str(sent["result"]["message_id"])

    assert sent["result"]["text"] == "a & b"
    assert (await call(telegram, "editMessageText", chat_id="5", message_id=message_id, text="c"))["result"][
        "text"
    ] == "c"
    assert "not modified" in await refusal(telegram, "editMessageText", chat_id="5", message_id=message_id, text="c")
    assert "to edit not found" in await refusal(telegram, "editMessageText", chat_id="5", message_id="999", text="c")
    assert "can't be edited" in await refusal(telegram, "editMessageText", chat_id="5", message_id="1", text="c")
    assert (await call(telegram, "deleteMessage", chat_id="5", message_id=message_id))["ok"]
    assert telegram.people.texts_from_bot(BOT, 5) == []


async def test_a_chat_takes_a_burst_and_then_floods(telegram):
    await telegram.people.send_text(BOT, USER, "hi")
    answers = [await call(telegram, "sendMessage", chat_id="5", text=str(number)) for number in range(4)]

    assert [answer["ok"] for answer in answers] == [True, True, True, False]
    assert answers[3]["error_code"] == 429
    assert answers[3]["parameters"]["retry_after"] >= 1


async def test_a_group_takes_twenty_messages_a_minute(telegram):
    telegram.people.add_to_group(BOT, -100, "Staff")
    answers = [await call(telegram, "sendMessage", chat_id="-100", text=str(number)) for number in range(21)]

    assert [answer["ok"] for answer in answers] == [True] * 20 + [False]
    assert answers[0]["result"]["chat"] == {"id": -100, "type": "supergroup", "title": "Staff"}
    assert answers[20]["parameters"]["retry_after"] in (2, 3)
    assert telegram.floods == 1


async def test_a_bot_has_a_limit_for_all_its_chats(clock):
    slow = TelegramSandbox(clock=clock, bot_per_s=0.1)
    slow.add_bot(TOKEN)
    await slow.start()
    async with ClientSession() as slow.session:
        for number in (1, 2):
            await slow.people.send_text(BOT, User(id=number, first_name="A"), "hi")
        answers = [await call(slow, "sendMessage", chat_id=str(number), text="x") for number in (1, 2)]
    await slow.stop()

    assert [answer["ok"] for answer in answers] == [True, False]
    assert answers[1]["parameters"]["retry_after"] == 10


async def test_updates_are_polled_with_an_offset(telegram):
    first = await telegram.people.send_text(BOT, USER, "1")
    await telegram.people.send_text(BOT, USER, "2")

    both = (await call(telegram, "getUpdates"))["result"]
    rest = (await call(telegram, "getUpdates", offset=str(first + 1)))["result"]

    assert [update["message"]["text"] for update in both] == ["1", "2"]
    assert [update["message"]["text"] for update in rest] == ["2"]


async def test_a_button_is_pressed_answered_once_and_then_too_old(telegram):
    await telegram.people.send_text(BOT, USER, "hi")
    await call(telegram, "sendMessage", chat_id="5", text="?", reply_markup={"inline_keyboard": [[BUTTON]]})
    await telegram.people.press_button(BOT, USER, 2, "y")
    query = (await call(telegram, "getUpdates"))["result"][-1]["callback_query"]

    assert query["message"]["reply_markup"]["inline_keyboard"] == [[BUTTON]]
    assert (await call(telegram, "answerCallbackQuery", callback_query_id=query["id"]))["ok"]
    assert "too old" in await refusal(telegram, "answerCallbackQuery", callback_query_id=query["id"])
    with pytest.raises(LookupError):
        await telegram.people.press_button(BOT, USER, 2, "z")


async def test_a_webhook_gets_updates_in_order_with_the_secret_until_it_takes_them(telegram):
    seen, refuse = [], [503, 500]
    arrived = asyncio.Event()

    async def hook(request):
        if refuse:
            return web.Response(status=refuse.pop())
        update = await request.json()
        seen.append((update["message"]["text"], request.headers["X-Telegram-Bot-Api-Secret-Token"]))
        if len(seen) == 2:
            arrived.set()
        return web.json_response(
            {"method": "sendMessage", "chat_id": 5, "text": "from the answer"} if len(seen) == 1 else {}
        )

    application = web.Application()
    application.router.add_post("/hook", hook)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await telegram.people.send_text(BOT, USER, "1")
    await telegram.people.send_text(BOT, USER, "2")

    assert (await call(telegram, "setWebhook", url=url, secret_token="abc"))["ok"]
    await asyncio.wait_for(arrived.wait(), 10)
    info = (await call(telegram, "getWebhookInfo"))["result"]
    await runner.cleanup()

    assert seen == [("1", "abc"), ("2", "abc")]
    assert "503" in info["last_error_message"] or "500" in info["last_error_message"]
    assert telegram.people.texts_from_bot(BOT, 5) == ["from the answer"]
    assert (await call(telegram, "getUpdates"))["error_code"] == 409


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"url": "http://example.org/x"}, "HTTPS"),
        ({"url": "https://example.org/x", "secret_token": "a b"}, "unallowed characters"),
        ({"url": "https://example.org/x", "max_connections": "101"}, "max_connections"),
    ],
)
async def test_a_bad_webhook_is_refused(telegram, parameters, says):
    assert says in await refusal(telegram, "setWebhook", **parameters)


async def test_a_bot_cannot_write_to_whom_it_does_not_know_or_who_blocked_it(telegram):
    other = "700000010:SANDBOX-only-works-in-the-tests-000010"
    telegram.add_bot(other)
    await telegram.people.send_text(BOT, USER, "hi")
    await telegram.people.block_bot(BOT, USER)

    assert "blocked" in await refusal(telegram, "sendMessage", chat_id="5", text="x")
    await telegram.people.unblock_bot(BOT, USER)
    assert (await call(telegram, "sendMessage", chat_id="5", text="x"))["ok"]
    told = [update["my_chat_member"] for update in (await call(telegram, "getUpdates"))["result"][1:]]
    assert [one["new_chat_member"]["status"] for one in told] == ["kicked", "member"]
    telegram.people.delete_account(BOT, USER)
    assert "user is deactivated" in await refusal(telegram, "sendMessage", chat_id="5", text="x")
    telegram.people.add_to_group(BOT, -100, "Staff").blocked = True
    assert "kicked from the supergroup" in await refusal(telegram, "sendMessage", chat_id="-100", text="x")
    assert "can't initiate" in (await call(telegram, "sendMessage", token=other, chat_id="5", text="x"))["description"]


async def test_a_file_is_fetched_by_its_id(telegram):
    await telegram.people.send_voice(BOT, USER)
    found = (await call(telegram, "getFile", file_id="file-1"))["result"]

    async with telegram.session.get(f"{telegram.url}/file/bot{TOKEN}/{found['file_path']}") as response:
        assert await response.read() == b"OggS"
    assert "invalid file_id" in await refusal(telegram, "getFile", file_id="nothing")
    async with telegram.session.get(f"{telegram.url}/file/bot{TOKEN}/files/nothing") as response:
        assert response.status == 404
