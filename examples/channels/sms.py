"""A whole channel in one file: text messages through a gateway of one's own, which has neither buttons nor pictures.

The gateway posts `{"id", "from", "text", "at"}` to our webhook with an HMAC of the body, and takes `{"to", "text"}` at
an address of the channel's options. docs/channels.md walks through this file; tests/handlers/test_channel_contract.py
runs the same contract against it that Telegram and WhatsApp pass.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
from pydantic import SecretStr

from db.limits import Budget
from db.records import Accepted, Channel, ChannelType, Dialogue, OutgoingReply, StoredUpdate
from handlers.base import (
    ASIDE,
    ChannelBroken,
    DeliveryDelayed,
    Lock,
    OutcomeUnknown,
    Permit,
    ReplyRefused,
    SendLimits,
    TurnCollector,
    UnreadableUpdate,
)
from handlers.pieces import split_text
from orchestration.errors import MediaUnavailable
from orchestration.identity import find_phones
from orchestration.messages import Attachment, Choices, Message, Reply, Sender, with_command

SIGNATURE = "X-Signature"
TEXT_LIMIT = 480
"""Three parts of a text message in Cyrillic."""


class SmsIntake:
    """The gateway's half: is it theirs, and whose is it? No SDK, no parsing beyond that."""

    type = ChannelType.EXAMPLE
    challenged = False

    def lock(self, open_secrets: Callable[[], Mapping[str, SecretStr]]) -> Lock:
        def proves(headers: Mapping[str, str], body: bytes) -> bool:
            secret = open_secrets()["secret"].get_secret_value().encode()
            expected = hmac.new(secret, body, sha256).hexdigest()
            return hmac.compare_digest(headers.get(SIGNATURE, "").encode(errors="replace"), expected.encode())

        return proves

    def sent_at(self, update: Accepted) -> datetime | None:
        try:
            return datetime.fromtimestamp(float(json.loads(update.payload)["at"]), UTC)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def challenge(self, secrets: Mapping[str, SecretStr], query: Mapping[str, str]) -> str | None:
        return None

    def accept(self, body: bytes) -> Sequence[Accepted]:
        try:
            message = json.loads(body)
            key, sender = str(message["id"]), str(message["from"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return [Accepted(update_key=f"unreadable:{sha256(body).hexdigest()}", dialogue_key=ASIDE, payload=body)]
        return [Accepted(update_key=key, dialogue_key=sender, payload=body)]


class SmsDispatch:
    """The worker's half: an update into Messages, a Reply out in pieces."""

    type = ChannelType.EXAMPLE
    # Nothing can be tapped: the client answers with a number.
    choices = Choices(most=9, drawn=False)
    typing_lasts: timedelta | None = None

    def __init__(self, open_secrets: Callable[[Channel], Mapping[str, SecretStr]]) -> None:
        self._open_secrets = open_secrets
        self._http = httpx.AsyncClient(timeout=10)

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        try:
            raw: dict[str, Any] = json.loads(update.payload)
            sent_at = datetime.fromtimestamp(float(raw["at"]), UTC)
            words, phones = str(raw["text"]), find_phones(str(raw["from"]))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise UnreadableUpdate("not a text message") from error
        # The network says who sends: the number is proved.
        sender = Sender(phone=phones[0] if phones else None)
        collector.add(with_command(Message(id=str(raw["id"]), sent_at=sent_at, text=words, sender=sender)))

    def send_limits(self, reply: OutgoingReply) -> SendLimits | None:
        minute = timedelta(minutes=1)
        return SendLimits(
            chat=Budget(rate=10, per=minute, burst=10), sender=Budget(rate=10, per=timedelta(seconds=1), burst=10)
        )

    async def deliver(self, channel: Channel, reply: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
        for index, piece in enumerate(draw(Reply.model_validate(reply.payload))):
            if index < reply.sent_parts:
                continue
            await permit()
            yield await self._send(channel, reply.dialogue_key, piece)

    async def show_typing(self, channel: Channel, dialogue: Dialogue, message: Message) -> None:
        """A text message has no such sign."""

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        raise MediaUnavailable("a text message carries no files")

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, channel: Channel, to: str, text: str) -> str:
        secret = self._open_secrets(channel)["secret"].get_secret_value()
        body = json.dumps({"to": to, "text": text}).encode()
        headers = {SIGNATURE: hmac.new(secret.encode(), body, sha256).hexdigest()}
        try:
            answer = await self._http.post(str(channel.options["send_to"]), content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise DeliveryDelayed(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(type(error).__name__) from error
        if answer.status_code in (401, 403):
            raise ChannelBroken(f"HTTP {answer.status_code}")
        if answer.is_client_error:
            raise ReplyRefused(f"HTTP {answer.status_code}")
        if answer.is_error:
            raise DeliveryDelayed(f"HTTP {answer.status_code}")
        return str(answer.json()["id"])


def draw(reply: Reply) -> list[str]:
    """Write the choices as numbered lines, and cut at the limit."""
    lines = [
        f"{number}. {choice.text}{', ' + choice.detail if choice.detail else ''}"
        for number, choice in enumerate(reply.choices, start=1)
    ]
    return split_text("\n".join([reply.text, *lines]), TEXT_LIMIT) if reply.text else []
