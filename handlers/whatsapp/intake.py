"""WhatsApp's half of the gateway: the challenge, Meta's signature, and a webhook split into its items, with nothing but
the standard library. Written after Meta's pages on webhooks ("getting started", "components") and on business-scoped
user ids.

Meta sends arrays of entries, changes and messages; pywa handles only the first of each, so every item becomes a webhook
of its own before it is stored.

Where the WhatsApp Business app is used with the number too ("coexistence"), what the business's people type there comes
as `smb_message_echoes` (Meta's page of that name, October 2025): `message_echoes`, from the business, to a client.
Since there are business-scoped ids it has `to_user_id` and `contacts` as well; that is after pywa's and Chatwoot's
fixtures. Not verified with Meta.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from db.records import ECHO, Accepted, ChannelType
from handlers.base import ASIDE, STATUSES, Lock

SIGNATURE_HEADER = "X-Hub-Signature-256"
_PREFIX = "sha256="
_ECHOES = "smb_message_echoes"
_SECONDS = re.compile(r"[0-9]{1,11}")
_STATUS = ("id", "status", "timestamp", "errors")


class WhatsAppIntake:
    type = ChannelType.WHATSAPP
    challenged = True

    def lock(self, open_secrets: Callable[[], Mapping[str, SecretStr]]) -> Lock:
        """Check Meta's HMAC over the raw body, made with the app's secret, which is opened for each."""

        def proves(headers: Mapping[str, str], body: bytes) -> bool:
            secret = open_secrets()["app_secret"].get_secret_value().encode()
            given = headers.get(SIGNATURE_HEADER, "")
            expected = _PREFIX + hmac.new(secret, body, sha256).hexdigest()
            # Bytes: comparing str raises for anything that is not ASCII.
            return bool(secret) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())

        return proves

    def sent_at(self, update: Accepted) -> datetime | None:
        """Return a message's own time. A word on one of ours has none that matters: said again, it changes nothing."""
        if update.dialogue_key in (ASIDE, STATUSES):
            return None
        webhook = json.loads(update.payload)
        value = webhook["entry"][0]["changes"][0]["value"]
        [message] = value["message_echoes"] if update.dialogue_key.startswith(ECHO) else value["messages"]
        seconds = message.get("timestamp")
        if not isinstance(seconds, str) or not _SECONDS.fullmatch(seconds):
            return None
        return datetime.fromtimestamp(int(seconds), UTC)

    def challenge(self, secrets: Mapping[str, SecretStr], query: Mapping[str, str]) -> str | None:
        """Answer the question that Meta asks before it takes an address."""
        token = secrets["verify_token"].get_secret_value().encode()
        given = query.get("hub.verify_token", "").encode(errors="replace")
        asked = query.get("hub.mode") == "subscribe" and hmac.compare_digest(given, token)
        return query.get("hub.challenge", "") if asked and token else None

    def accept(self, body: bytes) -> Sequence[Accepted]:
        try:
            webhook = json.loads(body)
            accepted = list(_items(webhook)) if isinstance(webhook, dict) else []
        except (ValueError, RecursionError):
            # No JSON, or nested deeper than anything that Meta sends.
            accepted = []
        return accepted or [_unreadable(body)]


def _items(webhook: Mapping[str, Any]) -> Iterator[Accepted]:
    for entry in _dicts(webhook.get("entry")):
        for change in _dicts(entry.get("changes")):
            value = change.get("value")
            if change.get("field") == _ECHOES and isinstance(value, dict) and _dicts(value.get("message_echoes")):
                for echo in _dicts(value["message_echoes"]):
                    yield _echo(entry, value, echo)
                continue
            if change.get("field") != "messages" or not isinstance(value, dict):
                yield _aside(entry, change)
                continue
            messages, statuses = _dicts(value.get("messages")), _dicts(value.get("statuses"))
            for message in messages:
                yield _message(entry, value, message)
            for status in statuses:
                yield _status(entry, value, status)
            if not messages and not statuses:
                yield _aside(entry, change)


def _message(entry: Mapping[str, Any], value: Mapping[str, Any], message: dict[str, Any]) -> Accepted:
    contact = dict(_contact_of(value, message))
    sender = _text(message.get("from_user_id")) or _text(contact.get("user_id"))
    number = _text(message.get("from")) or _text(contact.get("wa_id"))
    key = sender or number or ASIDE
    if key.startswith(ECHO):
        # No client is called so: it would be taken for one of the business's own people.
        key = ASIDE
    # pywa drops a message whose contact has no business-scoped id, as older payloads have none.
    contact["user_id"] = key
    body = _one(entry, value, {"contacts": [contact], "messages": [message]})
    id_ = _text(message.get("id")) or sha256(body).hexdigest()
    text = message.get("text")
    words = text.get("body") if message.get("type") == "text" and isinstance(text, dict) else None
    return Accepted(
        update_key=id_,
        dialogue_key=key,
        payload=body,
        urgent=not isinstance(words, str) or words.startswith("/"),
        address=_address(value),
    )


def _echo(entry: Mapping[str, Any], value: Mapping[str, Any], echo: dict[str, Any]) -> Accepted:
    """Keep what the business's own people typed to a client; to a group it is nobody's."""
    contact = dict(_contact_of(value, {"from": echo.get("to"), "from_user_id": echo.get("to_user_id")}))
    known = _text(echo.get("to_user_id")) or _text(contact.get("user_id"))
    number = _text(echo.get("to")) or _text(contact.get("wa_id"))
    client = known or number
    # pywa wants a contact, with a business-scoped id, here as well.
    contact |= {"user_id": client or ASIDE} | ({"wa_id": number} if number else {})
    body = _one(entry, value, {"contacts": [contact], "message_echoes": [echo]}, field=_ECHOES)
    id_ = _text(echo.get("id")) or sha256(body).hexdigest()
    return Accepted(
        update_key=f"{ECHO}{id_}",
        dialogue_key=ASIDE if client is None or "group_id" in echo else f"{ECHO}{client}",
        payload=body,
        urgent=True,
        address=_address(value),
    )


def _status(entry: Mapping[str, Any], value: Mapping[str, Any], status: dict[str, Any]) -> Accepted:
    # Whom it is about is found by the message's id: no number is stored. pywa wants a contact all the same.
    kept = {name: status[name] for name in _STATUS if name in status}
    body = _one(entry, value, {"contacts": [{"user_id": STATUSES}], "statuses": [kept]})
    id_ = _text(status.get("id")) or sha256(body).hexdigest()
    return Accepted(
        # The same word on the same message changes nothing, however often it comes.
        update_key=f"{id_}:{_text(status.get('status')) or ''}",
        dialogue_key=STATUSES,
        payload=body,
        address=_address(value),
    )


def _aside(entry: Mapping[str, Any], change: Mapping[str, Any]) -> Accepted:
    """Keep what is about no message: news of the account, of templates, errors."""
    payload = {"object": "whatsapp_business_account", "entry": [{"id": entry.get("id"), "changes": [change]}]}
    body = _encoded(payload)
    value = change.get("value")
    address = _address(value) if isinstance(value, dict) else None
    return Accepted(update_key=f"aside:{sha256(body).hexdigest()}", dialogue_key=ASIDE, payload=body, address=address)


def _unreadable(body: bytes) -> Accepted:
    return Accepted(update_key=f"unreadable:{sha256(body).hexdigest()}", dialogue_key=ASIDE, payload=body)


def _one(
    entry: Mapping[str, Any], value: Mapping[str, Any], item: Mapping[str, Any], *, field: str = "messages"
) -> bytes:
    """Return a webhook that carries just this item."""
    kept = {name: value[name] for name in ("messaging_product", "metadata") if name in value}
    change = {"field": field, "value": {**kept, **item}}
    webhook = {"object": "whatsapp_business_account", "entry": [{"id": entry.get("id"), "changes": [change]}]}
    return _encoded(webhook)


def _encoded(webhook: Mapping[str, Any]) -> bytes:
    # JSON may name half of a character, which no UTF-8 has: one such message must not hold up the others of its batch.
    return json.dumps(webhook, ensure_ascii=False).encode(errors="replace")


def _contact_of(value: Mapping[str, Any], message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the contact of the message's own sender, one of those that the batch shares."""
    contacts = _dicts(value.get("contacts"))
    for name, sender in (("user_id", message.get("from_user_id")), ("wa_id", message.get("from"))):
        for contact in contacts:
            if sender is not None and contact.get(name) == sender:
                return contact
    return contacts[0] if len(contacts) == 1 and not message.get("from") and not message.get("from_user_id") else {}


def _address(value: Mapping[str, Any]) -> str | None:
    metadata = value.get("metadata")
    return _text(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    """Return a word that may name something; what cannot stand in the database is none."""
    if not isinstance(value, str) or not value or "\x00" in value:
        return None
    is_whole = value.encode(errors="replace").decode() == value
    return value[:256] if is_whole else None
