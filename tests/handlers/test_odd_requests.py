"""What `make fuzz` has found, one by one: what is odd is refused or kept, and never stumbled over."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bench.fuzz.house import PUBLIC, SECRET
from bench.fuzz.messengers import TELEGRAM, WHATSAPP
from bench.fuzz.opening import open_house
from bench.fuzz.telephone import signature
from crm.base import Hook
from crm.yclients.changes import records_told
from handlers.base import ASIDE
from handlers.telegram.intake import TelegramIntake, dialogue_key
from orchestration.messages import Message, Sender, as_storable

DEEP = b'{"a":' * 20_000
FORM = "application/x-www-form-urlencoded"
CHAT = {"id": 5, "type": "private"}
WORDS = {"message_id": 1, "date": 1_795_510_800, "chat": CHAT, "from": {"id": 5, "is_bot": False, "first_name": "A"}}


@pytest.fixture
async def house(core, clock):
    async with open_house(core, clock) as opened:
        yield opened


async def told(house, messenger, body):
    """Let a messenger tell this, and the worker work; return what it stumbled over."""
    door = house.doors[messenger.name]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, _ = await house.post(f"/v1/{messenger.name}/webhook/{door.token}", raw, messenger.sign(raw))
    assert status == 200
    await house.settle()
    return house.take_failures()


async def stored(house, name):
    rows, held = await house.stored_since(house.doors[name].channel, house.clock() - timedelta(days=1))
    assert held == 0
    return rows


# ---- messengers


@pytest.mark.parametrize("messenger", [TELEGRAM, WHATSAPP], ids=lambda one: one.name)
async def test_what_is_nested_too_deeply_is_nobodys_and_holds_up_nothing(house, messenger):
    assert await told(house, messenger, DEEP) == []

    [row] = await stored(house, messenger.name)
    assert row["dialogue_key"] == ASIDE
    assert row["dead_at"] is not None
    assert row["attempts"] == 0, "it was tried again"


@pytest.mark.parametrize("update_id", [2**63, -(2**64), 10**3000])
def test_an_update_id_that_is_longer_than_telegrams_own_is_none(update_id):
    [accepted] = TelegramIntake().accept(json.dumps({"update_id": update_id, "message": WORDS}).encode())

    assert accepted.dialogue_key == ASIDE
    assert accepted.update_key.startswith("unreadable:")


@pytest.mark.parametrize(
    "update",
    [
        {"message": {**WORDS, "chat": {"id": 10**400}}},
        {"business_message": {**WORDS, "business_connection_id": "a\x00b"}},
        {"business_message": {**WORDS, "business_connection_id": "\ud800"}},
        {"business_message": {**WORDS, "business_connection_id": "x" * 3000}},
        {"business_message": {**WORDS, "business_connection_id": ["x"]}},
        {"callback_query": {"id": "1", "message": "words"}},
        {"callback_query": {"id": "1", "message": [1]}},
        {"callback_query": {"id": "1", "message": {"chat": 5}}},
    ],
)
def test_a_chat_that_cannot_be_named_is_nobodys(update):
    assert dialogue_key({"update_id": 1, **update}) == ASIDE


async def test_words_in_an_update_that_is_nobodys_are_answered_to_nobody(house):
    # aiogram reads a message in it, whatever its update_id: there is no chat in which it could be answered.
    assert await told(house, TELEGRAM, {"update_id": 2**70, "message": {**WORDS, "text": "Здравствуйте"}}) == []

    [row] = await stored(house, "telegram")
    assert row["dialogue_key"] == ASIDE
    assert row["done_at"] is not None
    assert row["turn_id"] is None


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d of it", "\x00"])
async def test_words_that_no_database_keeps_are_read_without_what_it_is(house, text):
    assert await told(house, TELEGRAM, {"update_id": 7, "message": {**WORDS, "text": text}}) == []

    [row] = await stored(house, "telegram")
    assert row["done_at"] is not None
    assert row["dead_at"] is None


async def test_a_report_on_a_message_of_a_name_that_no_database_keeps_holds_up_nobody(house):
    value = {"metadata": {"phone_number_id": "106540352242922"}}
    status = {
        "id": "wamid.\x00",
        "status": "failed",
        "timestamp": "1795510800",
        "errors": [{"code": 131047, "title": ""}],
    }
    change = {"field": "messages", "value": {**value, "statuses": [status]}}

    assert await told(house, WHATSAPP, {"entry": [{"id": "w", "changes": [change]}]}) == []


def test_every_text_of_a_message_is_made_storable_and_nothing_else_changes(clock):
    odd = Message(id="1\x00", sent_at=clock(), text="a\x00\ud800", sender=Sender.model_construct(name="\udfff"))
    fine = Message(id="1", sent_at=clock(), text="👩‍👧 да", sender=Sender(name="Елена"))

    kept = as_storable(odd)

    assert (kept.id, kept.text, kept.sender.name) == ("1", "a?", "?")
    assert as_storable(fine) is fine


# ---- telephone


async def on_call(house, what, body, headers):
    return await house.post(f"/v1/voice/{what}/{house.doors['gather'].token}", body, headers)


@pytest.mark.parametrize("what", ["webhook", "turn", "action"])
@pytest.mark.parametrize(
    "type_",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=b",
        f"{FORM}; charset=nothing",
        "text/plain",
        "",
    ],
)
async def test_a_body_that_is_no_form_of_twilios_proves_nothing(house, what, type_):
    part = b'--b\r\nContent-Disposition: form-data; name="CallSid"\r\n\r\nCA1\r\n-'

    status, _ = await on_call(house, what, part, {"Content-Type": type_})

    assert status == 403


async def test_a_signature_of_bytes_that_are_no_letters_proves_nothing(house):
    status, _ = await on_call(house, "webhook", b"CallSid=CA1", {"Content-Type": FORM, "X-Twilio-Signature": "\xff"})

    assert status == 403


async def signed(house, what, form, query=""):
    path = f"/v1/voice/{what}/{house.doors['gather'].token}{query}"
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature(PUBLIC + path, form)}
    body = "&".join(f"{name}={value}" for name, value in form.items()).replace("\x00", "%00").encode()
    return await house.post(path, body, headers)


@pytest.mark.parametrize("sid", ["CA\x00", "C" * 4000, ""])
async def test_a_call_that_cannot_be_named_is_none(house, sid):
    status, _ = await signed(house, "webhook", {"CallSid": sid})

    assert status == 400


async def test_a_form_of_thousands_of_fields_is_not_read(house):
    status, _ = await on_call(house, "webhook", b"&".join(b"a=1" for _ in range(500)), {"Content-Type": FORM})

    assert status == 403


async def test_a_large_form_is_refused_whatever_length_it_declares(house):
    async def pieces():
        for _ in range(80):
            yield b"a=1&" * 256

    url = f"{house.url}/v1/voice/webhook/{house.doors['gather'].token}"
    async with house.http.post(url, data=pieces(), headers={"Content-Type": FORM}) as response:
        assert response.status == 413


async def test_a_turn_of_a_name_that_is_not_ours_is_stored_all_the_same(house):
    await signed(house, "webhook", {"CallSid": "CA1"})
    status, answer = await signed(house, "turn", {"CallSid": "CA1", "SpeechResult": "hi"}, "?turn=%00")
    while b"<Redirect" in answer:
        # A slow machine: the answer is asked for again.
        status, answer = await signed(house, "turn", {"CallSid": "CA1"}, "?turn=%00&wait=1")

    assert status == 200
    assert b"<Gather" in answer
    assert [row["update_key"] for row in await stored(house, "gather")] == ["CA1:"]


# ---- CRMs, a channel of one's own, operators


@pytest.mark.parametrize("name", ["X-AI-Admin-Secret", "X-Anything"])
async def test_a_hint_with_headers_that_are_no_text_is_kept(house, name):
    status, _ = await house.post(f"/v1/crm/webhook/{house.crm_token}", b"{}", {name: "\xff\xfe"})

    assert status == 200


def test_a_records_number_is_of_plain_digits():
    body = {"company_id": "1", "resource": "record", "resource_id": "²"}

    assert records_told(Hook(content_type="", body=json.dumps(body).encode()), company_id="1") == ()


@pytest.mark.parametrize("name", ["message_id", "client_id"])
@pytest.mark.parametrize("value", ["a\x00", "a\r\nLocation: x", "a\n", "\x7f"])
async def test_an_id_of_control_characters_is_refused(house, name, value):
    body = {"message_id": "1", "client_id": "1", "text": "hi", name: value}
    mine = {"Authorization": f"Bearer {house.doors['api'].token}"}

    status, answer = await house.post("/process", json.dumps(body).encode(), mine)

    assert status == 400
    assert name in json.loads(answer)["error"]["message"]


async def test_a_field_of_an_odd_name_is_refused_in_one_line(house):
    mine = {"Authorization": f"Bearer {house.doors['api'].token}"}

    status, answer = await house.post("/process", json.dumps({"a\r\nb\x00": 1}).encode(), mine)

    assert status == 400
    assert "Extra inputs" in json.loads(answer)["error"]["message"]


@pytest.mark.parametrize("message_id", ["%00", "a%0A", "%0D%0Ax"])
async def test_an_answer_to_a_message_of_an_impossible_id_is_not_there(house, message_id):
    mine = {"Authorization": f"Bearer {house.doors['api'].token}"}
    async with house.http.get(f"{house.url}/process/{message_id}", headers=mine) as response:
        assert response.status == 404


async def test_a_credential_of_bytes_that_are_no_letters_is_unknown(house):
    status, _ = await house.post("/process", b"{}", {"Authorization": "Bearer \xff"})

    assert status == 401


async def test_figures_are_not_for_a_token_of_bytes_that_are_no_letters(house):
    status = await house.get_raw("/metrics", {"Authorization": "Bearer \xff"})
    known = await house.get_raw("/metrics", {"Authorization": f"Bearer {SECRET}"})

    assert (status, known) == (401, 200)
