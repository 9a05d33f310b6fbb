"""The local WhatsApp against Meta's documents: what it takes, what it refuses, how it brings webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web

from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import Person

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PERSON = Person(name="Елена", wa_id="79160000001", user_id="RU.1")
HIDDEN = Person(name="Ольга", wa_id=None, user_id="RU.2")


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def whatsapp(clock):
    sandbox = WhatsAppSandbox(clock=clock, retry_base_s=0.01)
    number = sandbox.add_number(sandbox.add_app(secret="app-secret"), id_="111", token="t", name="Салон")
    sandbox.add_template(number, "hello", "ru", "Здравствуйте, {{1}}!")
    sandbox.add_template(number, "asks", "ru", "Вы придёте?", buttons=("Приду", "Нет"))
    await sandbox.start()
    await sandbox.people.send_text("111", PERSON, "Привет")
    await sandbox.people.send_text("111", HIDDEN, "Привет")
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def send(whatsapp):
    async with httpx.AsyncClient(base_url=whatsapp.url) as http:

        async def post(body, *, token="t", number="111", version="v23.0"):
            body = {"messaging_product": "whatsapp", "to": PERSON.wa_id, **body}
            answer = await http.post(
                f"/{version}/{number}/messages", json=body, headers={"Authorization": f"Bearer {token}"}
            )
            return answer.status_code, answer.json()

        yield post


def text(length):
    return {"type": "text", "text": {"body": "я" * length}}


def buttons(*titles, id_length=1, body=10):
    made = [{"type": "reply", "reply": {"id": f"{n}" * id_length, "title": title}} for n, title in enumerate(titles)]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": "я" * body}, "action": {"buttons": made}},
    }


def rows(count, *, title=5, description=5, label=5, sections=1, section_title=None):
    made = [{"id": str(n), "title": "я" * title, "description": "я" * description} for n in range(count)]
    parts = [
        {"rows": made[n::sections], **({"title": section_title} if section_title else {})} for n in range(sections)
    ]
    action = {"button": "я" * label, "sections": parts}
    return {"type": "interactive", "interactive": {"type": "list", "body": {"text": "?"}, "action": action}}


def template(*parameters, name="hello", language="ru"):
    components = [{"type": "body", "parameters": [{"type": "text", "text": one} for one in parameters]}]
    body = {"name": name, "language": {"code": language}, "components": components if parameters else []}
    return {"type": "template", "template": body}


def quick_reply(index=0, *, payload="yes", **fields):
    button = {"type": "button", "sub_type": "quick_reply", "index": index, **fields}
    parameters = [{"type": "payload", "payload": payload}] if payload else []
    body = {"name": "asks", "language": {"code": "ru"}, "components": [{**button, "parameters": parameters}]}
    return {"type": "template", "template": body}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (text(4096), None),
        (text(4097), 131009),
        (text(0), 131008),
        (buttons("Да", "Нет", "Назад"), None),
        (buttons("Да", "Нет", "Назад", "Ещё"), 131009),
        (buttons("я" * 20), None),
        (buttons("я" * 21), 131009),
        (buttons("Да", id_length=256), None),
        (buttons("Да", id_length=257), 131009),
        (buttons("Да", "Да"), 131009),
        (buttons("Да", body=1024), None),
        (buttons("Да", body=1025), 131009),
        (buttons(), 131009),
        (rows(10), None),
        (rows(11), 131009),
        (rows(1, title=24), None),
        (rows(1, title=25), 131009),
        (rows(1, description=72), None),
        (rows(1, description=73), 131009),
        (rows(1, label=20), None),
        (rows(1, label=21), 131009),
        (rows(2, sections=2, section_title="я" * 24), None),
        (rows(2, sections=2), 131008),
        (template("Елена"), None),
        (template(), 132000),
        (template("две", "строки"), 132000),
        (template("две\nстроки"), 131009),
        (template("Елена", name="bye"), 132001),
        (template("Елена", language="en"), 132001),
        (quick_reply(), None),
        (quick_reply(1, sub_type="QUICK_REPLY"), None),
        (quick_reply(2), 132000),
        (quick_reply(sub_type=""), 131008),
        (quick_reply(payload=""), 131008),
        ({"type": "image", "image": {"id": "nothing"}}, 131009),
        ({"type": "hologram", "hologram": {}}, 131051),
        ({**text(1), "colour": "red"}, 100),
        ({**text(1), "to": ""}, 131008),
        ({**text(1), "messaging_product": "telegram"}, 131008),
    ],
)
async def test_a_message_is_taken_or_refused_as_meta_does_and_a_broken_rule_is_remembered(whatsapp, send, body, code):
    status, answer = await send(body)

    if code is None:
        assert (status, answer["messages"][0]["id"][:6], whatsapp.violations) == (200, "wamid.", [])
    else:
        assert (status, answer["error"]["code"], answer["error"]["type"]) == (400, code, "OAuthException")
        assert len(whatsapp.violations) == 1


@pytest.mark.parametrize(
    ("where", "status", "code"),
    [
        ({"token": "wrong"}, 401, 190),
        ({"number": "222"}, 400, 100),
        ({"version": "v16.0"}, 400, 100),
        ({"version": "v17.0"}, 200, None),
    ],
)
async def test_who_may_send_and_where(send, where, status, code):
    found, answer = await send(text(1), **where)

    assert (found, answer.get("error", {}).get("code")) == (status, code)


async def test_a_person_without_a_visible_number_is_reached_by_the_business_scoped_id(whatsapp, send):
    status, answer = await send({"to": None, "recipient": "RU.2", **text(1)})

    assert (status, answer["contacts"][0]) == (200, {"input": "RU.2", "user_id": "RU.2"})


@pytest.fixture
async def door(whatsapp):
    """A business's webhook, which answers what the test says."""

    class Door:
        refuse = 0

    door = Door()
    door.taken = []

    async def post(request):
        raw = await request.read()
        if door.refuse:
            door.refuse -= 1
            return web.Response(status=500)
        door.taken.append((raw, request.headers["X-Hub-Signature-256"]))
        async with whatsapp.state.changed:
            whatsapp.state.changed.notify_all()
        return web.Response()

    async def get(request):
        return web.Response(text=request.query["hub.challenge"] if request.query["hub.verify_token"] == "v" else "no")

    application = web.Application()
    application.add_routes([web.post("/hook", post), web.get("/hook", get)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    whatsapp.state.numbers["111"].app.callback_url = door.url

    async def arrived(count):
        async with asyncio.timeout(10), whatsapp.state.changed:
            await whatsapp.state.changed.wait_for(lambda: len(door.taken) >= count)
        return [json.loads(raw) for raw, _ in door.taken]

    door.arrived = arrived
    yield door
    await runner.cleanup()


async def test_a_webhook_is_signed_over_its_raw_body(whatsapp, door):
    await whatsapp.people.send_text("111", PERSON, "Здравствуйте")
    await door.arrived(1)

    [(raw, signature)] = door.taken
    assert signature == "sha256=" + hmac.new(b"app-secret", raw, hashlib.sha256).hexdigest()
    value = json.loads(raw)["entry"][0]["changes"][0]["value"]
    assert value["metadata"]["phone_number_id"] == "111"
    assert value["contacts"] == [{"profile": {"name": "Елена"}, "user_id": "RU.1", "wa_id": "79160000001"}]
    assert value["messages"][0]["text"] == {"body": "Здравствуйте"}
    assert value["messages"][0]["timestamp"] == str(int(NOW.timestamp()))


async def test_a_webhook_is_brought_again_until_it_is_taken_and_once_more_when_asked(whatsapp, door):
    door.refuse = 3
    await whatsapp.people.send_text("111", PERSON, "Здравствуйте")
    async with asyncio.timeout(10), whatsapp.state.changed:
        await whatsapp.state.changed.wait_for(lambda: not whatsapp.webhooks.waiting)
    await whatsapp.people.bring_again()

    first, second = await door.arrived(2)
    assert first == second


async def test_a_batch_is_one_webhook(whatsapp, door):
    async with whatsapp.people.batch():
        for index in range(100):
            await whatsapp.people.send_text("111", PERSON, str(index))

    [body] = await door.arrived(1)
    assert len(body["entry"]) == 100


async def test_statuses_tell_what_became_of_a_message(whatsapp, send, door):
    _, answer = await send(text(1))
    await door.arrived(2)
    await whatsapp.people.read("111", PERSON)

    told = [body["entry"][0]["changes"][0]["value"]["statuses"][0] for body in await door.arrived(3)]
    assert {(one["id"], one["status"]) for one in told} == {
        (answer["messages"][0]["id"], status) for status in ("sent", "delivered", "read")
    }


async def test_outside_of_the_window_free_words_fail_and_a_template_goes(whatsapp, send, clock, door):
    clock.now += timedelta(hours=24, seconds=1)

    status, _ = await send(text(1))
    late = (await door.arrived(1))[0]["entry"][0]["changes"][0]["value"]["statuses"][0]
    taken, _ = await send(template("Елена"))

    assert (status, late["status"], late["errors"][0]["code"]) == (200, "failed", 131047)
    assert taken == 200
    assert whatsapp.people.texts_from_business("111", "RU.1") == ["Здравствуйте, Елена!"]
    assert whatsapp.violations == []


async def test_a_burst_to_one_person_is_borrowed_and_then_refused(whatsapp, send):
    answers = [await send(text(1)) for _ in range(46)]

    assert [status for status, _ in answers].count(200) == 45
    assert answers[-1][1]["error"]["code"] == 131056
    assert (whatsapp.floods, whatsapp.violations) == (1, [])


async def test_only_what_is_shown_can_be_tapped(whatsapp, send, door):
    _, answer = await send(buttons("Да", "Нет"))
    id_ = answer["messages"][0]["id"]

    with pytest.raises(LookupError):
        await whatsapp.people.tap("111", PERSON, id_, "7")
    await whatsapp.people.tap("111", PERSON, id_, "0")

    messages = [body["entry"][0]["changes"][0]["value"].get("messages") for body in await door.arrived(3)]
    [tapped] = next(one for one in messages if one)
    assert tapped["interactive"] == {"type": "button_reply", "button_reply": {"id": "0", "title": "Да"}}
    assert tapped["context"]["id"] == id_


async def test_a_file_is_given_for_five_minutes_to_whom_has_the_token(whatsapp, clock):
    await whatsapp.people.send_voice("111", PERSON, b"OggS-voice")
    [media_id] = whatsapp.state.numbers["111"].media
    ours = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(base_url=whatsapp.url) as http:
        told = (await http.get(f"/v23.0/{media_id}", headers=ours)).json()
        good = await http.get(told["url"], headers=ours)
        without = await http.get(told["url"])
        clock.now += timedelta(minutes=6)
        late = await http.get(told["url"], headers=ours)

    assert (told["mime_type"], told["file_size"]) == ("audio/ogg; codecs=opus", 10)
    assert told["sha256"] == hashlib.sha256(b"OggS-voice").hexdigest()
    assert (good.content, without.status_code, late.status_code) == (b"OggS-voice", 401, 404)


@pytest.mark.parametrize(("token", "taken"), [("v", True), ("other", False)])
async def test_a_callback_is_asked_back_before_it_is_taken(whatsapp, door, token, taken):
    wanted = {"webhook_configuration": {"override_callback_uri": door.url, "verify_token": token}}
    async with httpx.AsyncClient(base_url=whatsapp.url) as http:
        answer = await http.post("/v23.0/111", json=wanted, headers={"Authorization": "Bearer t"})

    assert (answer.status_code == 200) is taken
    assert (whatsapp.state.numbers["111"].callback_url == door.url) is taken


async def test_a_read_sign_needs_a_message_that_was_received(whatsapp, send):
    chat = whatsapp.people.chat("111", "RU.1")
    sign = {"status": "read", "typing_indicator": {"type": "text"}}

    assert (await send({**sign, "message_id": chat.messages[0].id}))[1] == {"success": True}
    assert chat.typing
    assert (await send({**sign, "message_id": "wamid.unknown"}))[1]["error"]["code"] == 100
