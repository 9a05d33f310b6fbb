"""What every channel promises, whoever's it is: Telegram, WhatsApp, and the example of docs/channels.md."""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass, field, replace
from hashlib import sha256

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.app import build_gateway
from bot.worker_app import open_worker
from db.records import ChannelType
from examples.channels.sms import TEXT_LIMIT, SmsDispatch, SmsIntake, draw
from handlers.base import ASIDE
from handlers.registry import INTAKES
from handlers.telegram.intake import TelegramIntake
from handlers.whatsapp.intake import WhatsAppIntake
from orchestration.messages import Button, Reply

SECRETS = {
    "secret": SecretStr("s"),
    "secret_token": SecretStr("s"),
    "app_secret": SecretStr("s"),
    "verify_token": SecretStr("v"),
}
CHANNELS = {
    "telegram": (
        TelegramIntake(),
        {
            "update_id": 7,
            "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "Привет"},
        },
        lambda body: {"X-Telegram-Bot-Api-Secret-Token": "s"},
    ),
    "whatsapp": (
        WhatsAppIntake(),
        {
            "entry": [
                {
                    "id": "w",
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "metadata": {"phone_number_id": "1"},
                                "messages": [
                                    {"id": "wamid.7", "from": "7916", "type": "text", "text": {"body": "Привет"}}
                                ],
                            },
                        }
                    ],
                }
            ]
        },
        lambda body: {"X-Hub-Signature-256": "sha256=" + hmac.new(b"s", body, sha256).hexdigest()},
    ),
    "example": (
        SmsIntake(),
        {"id": "7", "from": "+79160000001", "text": "Привет", "at": 1},
        lambda body: {"X-Signature": hmac.new(b"s", body, sha256).hexdigest()},
    ),
}


@pytest.fixture(params=sorted(CHANNELS))
def channel(request):
    intake, update, sign = CHANNELS[request.param]
    body = json.dumps(update).encode()
    return intake, body, sign(body)


def test_every_channel_that_is_served_is_under_this_contract():
    assert {type_.value for type_ in INTAKES} <= set(CHANNELS)


def test_the_messengers_own_proof_is_believed_and_nothing_else(channel):
    intake, body, headers = channel

    lock = intake.lock(lambda: SECRETS)
    assert lock(headers, body)
    assert not lock({}, body)
    assert not lock(dict.fromkeys(headers, "wrong"), body)
    assert not lock(dict.fromkeys(headers, "не ASCII"), body)
    assert not intake.lock(lambda: dict.fromkeys(SECRETS, SecretStr("other")))(headers, body)


def test_an_update_has_a_key_that_is_the_same_each_time_and_a_dialogue(channel):
    intake, body, _ = channel

    [first], [again] = intake.accept(body), intake.accept(body)

    assert (first.update_key, first.dialogue_key) == (again.update_key, again.dialogue_key)
    assert first.dialogue_key != ASIDE
    assert not first.urgent


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\x00", b"[" * 50_000, b'{"update_id": "x"}'])
def test_what_cannot_be_read_is_kept_and_nobodys(channel, body):
    intake, _, _ = channel

    [accepted] = intake.accept(body)

    assert accepted.dialogue_key == ASIDE
    assert accepted.update_key


def test_a_challenge_without_the_right_token_is_not_answered(channel):
    intake, _, _ = channel

    assert intake.challenge(SECRETS, {}) is None
    assert intake.challenge(SECRETS, {"hub.mode": "subscribe", "hub.verify_token": "x", "hub.challenge": "1"}) is None


# ---- the example as its users would meet it: the real gateway and worker, and an operator of text messages


@dataclass
class Operator:
    """Who carries text messages; it refuses what is too long."""

    url: str = ""
    sent: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request):
        raw = await request.read()
        message = json.loads(raw)
        if request.headers.get("X-Signature") != hmac.new(b"s", raw, sha256).hexdigest():
            return web.Response(status=401)
        if len(message["text"]) > TEXT_LIMIT:
            self.violations.append(message["text"])
            return web.Response(status=400)
        self.sent.append((message["to"], message["text"]))
        async with self.changed:
            self.changed.notify_all()
        return web.json_response({"id": str(len(self.sent))})


@pytest.fixture
async def phone(house, listen):
    """A person with an old phone, who writes to Элита by text message and reads what comes."""
    operator = Operator()
    address = await listen("/send", operator.take)
    _, token = await house.core.companies.add_channel(
        house.company_id,
        ChannelType.EXAMPLE,
        external_id="1",
        name="sms",
        options={"send_to": f"{address}/send"},
        secrets={"secret": SecretStr("s")},
    )
    house.core.directory.forget(house.company_id)
    await house.kill_worker()
    core = replace(house.core, settings=house.core.settings.model_copy(update={"port": 0}))
    dispatch = SmsDispatch(core.open_channel_secrets)
    async with open_worker(core, more={ChannelType.EXAMPLE: dispatch}) as app, aiohttp.ClientSession() as session:
        working = asyncio.create_task(app.worker.run())
        gateway = build_gateway(core, {**INTAKES, ChannelType.EXAMPLE: SmsIntake()})
        url = f"{await gateway.start()}/v1/example/webhook/{token}"

        class Phone:
            number = "+79165556677"
            written = 0

            async def says(self, text):
                self.written += 1
                at = house.clock().timestamp()
                body = json.dumps({"id": str(self.written), "from": self.number, "text": text, "at": at}).encode()
                count = len(operator.sent)
                headers = {"X-Signature": hmac.new(b"s", body, sha256).hexdigest()}
                async with session.post(url, data=body, headers=headers) as response:
                    assert response.status == 200
                async with asyncio.timeout(20), operator.changed:
                    await operator.changed.wait_for(lambda: len(operator.sent) > count)
                await house.settles()
                return "\n".join(text for to, text in operator.sent[count:] if to == self.number)

        yield Phone()
        await gateway.stop()
        app.worker.stop()
        await working
        await dispatch.close()
    assert operator.violations == []


def number_of(label, shown):
    return next(line.partition(".")[0] for line in shown.splitlines() if label in line and line[0].isdigit())


async def test_a_channel_without_buttons_books_by_numbers(house, phone):
    shown = await phone.says("записаться")
    for label in ("Стрижка женская", "Анна Смирнова", "ср, 25 ноября"):
        shown = await phone.says(number_of(label, shown))
    # A number brings no name with it.
    asked = await phone.says("1")
    shown = await phone.says("Игорь")
    assert "Как вас зовут" in asked
    receipt = await phone.says(number_of("Да, записать", shown))

    assert "Готово" in receipt
    [record] = house.records()
    assert record["client"]["phone"] == phone.number


async def test_a_channel_without_buttons_books_by_words(house, phone):
    await phone.says("Здравствуйте, меня зовут Игорь. Хочу постричься завтра после обеда")
    await phone.says("Женская стрижка, мастер Анна Смирнова")
    await phone.says("Давайте в 15:00")
    receipt = await phone.says("да")

    assert "Готово" in receipt
    assert len(house.records()) == 1


def test_the_example_is_short_enough_to_be_read_at_once():
    import examples.channels.sms as example

    with open(example.__file__, encoding="utf-8") as file:
        assert len(file.readlines()) < 200


def test_choices_become_numbered_lines_within_the_limit():
    buttons = tuple((Button(text=f"Выбор {index}", action=str(index), detail="подробно " * 9),) for index in range(9))

    pieces = draw(Reply(text="Что вам нужно?", buttons=buttons))

    assert "9. Выбор 8" in pieces[-1]
    assert all(len(piece) <= TEXT_LIMIT for piece in pieces)
