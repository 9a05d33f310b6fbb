"""Telegram's half of the gateway: proof and dialogue key, with nothing but the standard library (aiogram costs 5 s and
160 MB). Written after the Bot API's setWebhook and Update."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from db.records import ECHO, Accepted, ChannelType
from handlers.base import ASIDE, Lock

_ID_BITS = 64
_LONGEST_ID = 256
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (the header's name)


class TelegramIntake:
    type = ChannelType.TELEGRAM
    challenged = False

    def lock(self, open_secrets: Callable[[], Mapping[str, SecretStr]]) -> Lock:
        """Keep a digest of the secret, and compare digests: opening the secret anew is a tenth of a webhook's cost."""
        secret = open_secrets()["secret_token"].get_secret_value().encode()
        expected = sha256(secret).digest()
        is_set = bool(secret)

        def proves(headers: Mapping[str, str], body: bytes) -> bool:
            given = sha256(headers.get(SECRET_HEADER, "").encode(errors="replace")).digest()
            return is_set and hmac.compare_digest(given, expected)

        return proves

    def sent_at(self, update: Accepted) -> datetime | None:
        """Telegram signs nothing: who knows its secret can say whatever they like."""
        return None

    def challenge(self, secrets: Mapping[str, SecretStr], query: Mapping[str, str]) -> str | None:
        """Telegram only posts."""
        return None

    def accept(self, body: bytes) -> Sequence[Accepted]:
        update = _parse(body)
        update_id = _integer(update.get("update_id")) if update is not None else None
        if update is None or update_id is None:
            return [Accepted(update_key=f"unreadable:{sha256(body).hexdigest()}", dialogue_key=ASIDE, payload=body)]
        key = dialogue_key(update)
        # The agent is silent as soon as a person has answered past us, not once they have stopped typing.
        urgent = key.startswith(ECHO) or _is_urgent(update)
        return [Accepted(update_key=str(update_id), dialogue_key=key, payload=body, urgent=urgent)]


def dialogue_key(update: Mapping[str, Any]) -> str:
    """Name the client within the bot: chat, user and business connection, as the FSM's key has them too."""
    for name, event in update.items():
        if name == "update_id" or not isinstance(event, Mapping):
            continue
        pressed = event.get("message")
        chat = event.get("chat") or (pressed.get("chat") if isinstance(pressed, Mapping) else None)
        chat_id = _integer(chat.get("id")) if isinstance(chat, Mapping) else None
        if chat_id is not None:
            sender = event.get("from")
            user_id = _integer(sender.get("id")) if isinstance(sender, Mapping) else None
            connection = event.get("business_connection_id") or ""
            echo = ECHO if connection and user_id is not None and user_id != chat_id else ""
            if connection or user_id is None or chat_id < 0:
                # A business chat is the client's, whoever writes in it. A group is one dialogue: what staff write there
                # is worked on in the order in which it stands there.
                user_id = chat_id
            return f"{echo}{chat_id}:{user_id}:{connection}" if _is_id(connection) else ASIDE
    return ASIDE


def _integer(value: Any) -> int | None:
    """Return an id; what is longer than the Bot API's own (64 bits at most) is none."""
    return value if isinstance(value, int) and value.bit_length() < _ID_BITS else None


def _is_id(value: Any) -> bool:
    """Say whether this is a connection's id, or no connection; what cannot stand in the database is none."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _LONGEST_ID


def _is_urgent(update: Mapping[str, Any]) -> bool:
    """Say whether the update is anything but plain words: a button, a command, a contact never wait."""
    words = ("message", "edited_message", "business_message", "edited_business_message")
    message = next((update[name] for name in words if name in update), None)
    text = message.get("text") if isinstance(message, Mapping) else None
    return not isinstance(text, str) or text.startswith("/")


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        # No JSON, a number of thousands of digits, or nested deeper than anything that Telegram sends.
        return None
    return update if isinstance(update, dict) else None
