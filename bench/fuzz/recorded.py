"""What the doors are used to: updates, webhooks, forms, frames and bodies as they are documented, with placeholders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.fuzz.near import CLIENT, NUMBER

Json = dict[str, Any]
_ROOT = Path(__file__).parents[2]
_TELEGRAM = _ROOT / "tests" / "handlers" / "fixtures" / "telegram"
COMPANY_FILE = (_ROOT / "examples" / "elita.yaml").read_text(encoding="utf-8")
PHONE_ID = "106540352242922"
_USER = {"id": CLIENT, "is_bot": False, "first_name": "Елена", "language_code": "ru"}
_CHAT = {"id": CLIENT, "type": "private", "first_name": "Елена"}


def telegram() -> list[Json]:
    """Return the recorded updates of tests/handlers/fixtures/telegram, and more kinds of what people send."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_TELEGRAM.glob("*.json"))]
    updates = [_of_client(one) for one in found]
    contents: Sequence[Json] = (
        {"photo": [{"file_id": "p", "file_unique_id": "u", "width": 1, "height": 1}], "caption": "как тут"},
        {"document": {"file_id": "d", "file_unique_id": "u", "mime_type": "image/png"}},
        {"sticker": {"file_id": "s", "file_unique_id": "u", "type": "regular", "width": 1, "height": 1,
                     "is_animated": False, "is_video": False}},
        {"location": {"latitude": 1.0, "longitude": 2.0}},
        {"text": "да", "reply_to_message": {"message_id": 3, "date": 1, "chat": _CHAT, "text": "Записать вас?"}},
        {"text": "/start ref", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]},
        {"dice": {"emoji": "🎲", "value": 3}},
        {"pinned_message": {"message_id": 3, "date": 0, "chat": _CHAT}},
        {"text": "x", "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "x"}},
    )  # fmt: skip
    for content in contents:
        message = {"message_id": 11, "date": 1_795_510_800, "chat": _CHAT, "from": _USER, **content}
        updates.append({"update_id": NUMBER, "message": message})
        updates.append({"update_id": NUMBER, "business_message": {**message, "business_connection_id": "c"}})
    return [*updates, {"update_id": NUMBER, "poll": {"id": "1"}}, {"update_id": NUMBER}]


def telegram_message(text: str) -> Json:
    """Return a well-formed update of the client."""
    message = {"message_id": 99, "date": 1_795_510_800, "chat": _CHAT, "from": _USER, "text": text}
    return {"update_id": NUMBER, "message": message}


def _of_client(update: Json) -> Json:
    """Put the placeholders where the recorded numbers stand."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: CLIENT if key in ("id", "user_id") and one == 5 else put(one) for key, one in value.items()}
        return [put(one) for one in value] if isinstance(value, list) else value

    return {**put(update), "update_id": NUMBER}


def whatsapp() -> list[Json]:
    """Return webhooks of each kind that Meta's pages show."""
    contents: Sequence[Json] = (
        {"type": "text", "text": {"body": "Хочу постричься"}},
        {"type": "text", "text": {"body": "да"}, "context": {"from": "1", "id": "wamid.0"}},
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "y:1", "title": "Да"}}},
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "a", "title": "А"}}},
        {"type": "button", "button": {"payload": "yes:1", "text": "Да"}},
        {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "как тут"}},
        {"type": "audio", "audio": {"id": "1", "mime_type": "audio/ogg", "sha256": "x", "voice": True}},
        {"type": "document", "document": {"id": "1", "mime_type": "image/png", "filename": "x.png"}},
        {"type": "sticker", "sticker": {"id": "1", "mime_type": "image/webp", "animated": False}},
        {"type": "location", "location": {"latitude": 1.0, "longitude": 2.0}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Е"}, "phones": [{"phone": f"+{CLIENT}"}]}]},
        {"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "❤"}},
        {"type": "request_welcome"},
        {"type": "unsupported", "errors": [{"code": 131051, "title": "Unsupported message type"}]},
        {"type": "text", "text": {"body": "x"}, "referral": {"source_id": "1", "source_type": "ad"}},
    )  # fmt: skip
    values = [_value(messages=[_wa_message(content)]) for content in contents]
    values += [
        _value(messages=[_wa_message(contents[0]), _wa_message(contents[1], "b")]),
        _value(statuses=[{"id": f"wamid.{NUMBER}", "status": "delivered", "timestamp": "1795510800"}]),
        _value(statuses=[{"id": "wamid.0", "status": "failed", "timestamp": "1", "errors": [{"code": 131047}]}]),
        _value(),
    ]
    news = {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}
    return [*(_webhook({"field": "messages", "value": value}) for value in values), _webhook(news)]


def whatsapp_message(text: str) -> Json:
    """Return a well-formed webhook with a message of the client."""
    return _webhook(
        {"field": "messages", "value": _value(messages=[_wa_message({"type": "text", "text": {"body": text}})])}
    )


def _webhook(*changes: Json) -> Json:
    return {"object": "whatsapp_business_account", "entry": [{"id": "waba", "changes": list(changes)}]}


def _value(**items: Any) -> Json:
    metadata = {"display_phone_number": "79000000000", "phone_number_id": PHONE_ID}
    contacts = [{"profile": {"name": "Елена"}, "wa_id": str(CLIENT)}]
    return {"messaging_product": "whatsapp", "metadata": metadata, "contacts": contacts, **items}


def _wa_message(content: Json, more: str = "") -> Json:
    return {"from": str(CLIENT), "id": f"wamid.{NUMBER}{more}", "timestamp": "1795510800", **content}


def process() -> list[Json]:
    """Return bodies of POST /process."""
    whose = {"message_id": f"m{NUMBER}", "client_id": f"c{CLIENT}"}
    return [
        {**whose, "text": "Хочу постричься", "client_name": "Елена", "language": "ru"},
        {**whose, "text": "/book"},
        {**whose, "action": "yes:1"},
        {**whose, "proved_phone": "+7 916 000-00-01", "text": "мои записи", "company": "elita"},
        {**whose, "attachments": [{"kind": "image", "ref": "1", "mime_type": "image/png", "size": 10}]},
    ]


def forms() -> list[dict[str, str]]:
    """Return what Twilio posts about a call."""
    call = {"CallSid": f"CA{NUMBER}", "From": "+79160000001", "To": "+74951234567", "CallStatus": "in-progress"}
    return [
        call,
        {**call, "SpeechResult": "Хочу постричься", "Confidence": "0.9"},
        {**call, "Digits": "2"},
        {**call, "SessionStatus": "failed", "ErrorCode": "64102"},
        {**call, "SessionStatus": "completed", "HandoffData": '{"reason": "transfer", "transfer": "+74951234567"}'},
        {**call, "DialCallStatus": "no-answer"},
        {**call, "DialCallStatus": "completed"},
    ]


def frames() -> list[Json]:
    """Return what comes over a call's stream."""
    return [
        {"type": "prompt", "voicePrompt": "Хочу постричься", "lang": "ru-RU", "last": True},
        {"type": "prompt", "voicePrompt": "сколько стоит", "last": False},
        {"type": "interrupt", "utteranceUntilInterrupt": "Здравствуйте", "durationUntilInterruptMs": 460},
        {"type": "dtmf", "digit": "1"},
        {"type": "dtmf", "digit": "#"},
        {"type": "error", "description": "Invalid message received"},
        {"type": "setup", "callSid": f"CA{NUMBER}", "from": "+79160000001", "customParameters": {}},
    ]


def hooks() -> list[Json]:
    """Return what CRMs that speak JSON tell."""
    return [
        {"company_id": 1, "resource": "record", "resource_id": NUMBER, "status": "update", "data": {"id": 1}},
        {"company_id": 1, "resource": "service", "resource_id": 5, "status": "create", "data": {}},
        {"appointment_ids": ["00000000-0000-0000-0000-000000000001"]},
    ]


def hook_forms() -> list[dict[str, str]]:
    """Return what CRMs that post forms tell."""
    signed = {"auth[application_token]": "t" * 32, "auth[domain]": "portal.example"}
    return [
        {"event": "ONBOOKINGUPDATE", "data[ID]": "5", **signed},
        {"event": "ONCRMDEALADD", "data[FIELDS][ID]": "5", **signed},
    ]


def ids_in(webhook: Any) -> Iterator[tuple[str | None, str]]:
    """Yield the number that a WhatsApp webhook's messages were sent to, and their ids, as Meta's page describes it."""
    for entry in _dicts(webhook, "entry"):
        for change in _dicts(entry, "changes"):
            value = change.get("value")
            if change.get("field") != "messages" or not isinstance(value, dict):
                continue
            metadata = value.get("metadata")
            number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
            for message in _dicts(value, "messages"):
                if isinstance(message.get("id"), str):
                    yield number if isinstance(number, str) else None, message["id"]


def _dicts(value: Any, name: str) -> list[Mapping[str, Any]]:
    found = value.get(name) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
