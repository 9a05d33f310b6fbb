"""The bodies of webhooks, as Meta's pages "Messages webhook" and "Business-scoped user ids" (March 2026) have them.

Not verified with Meta, which had no people without a visible number when this was written: that for such a person
`from`, `wa_id` and a status's `recipient_id` are left out, and that the contact's profile then has `username`. After
partners' descriptions of the same page: statuses carry `contacts` too, "sent" without the user name, "failed" without
any contact at all (whatsapp-api-js, types ServerContacts), and `recipient_user_id` (messagebird/java-rest-api, pull
request 284).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import timedelta

from sandbox.whatsapp.errors import title
from sandbox.whatsapp.state import Chat, ChatMessage, Json, Number, Person

_PAGE = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
_CONVERSATION = timedelta(hours=24)


def envelope(number: Number, told: Json, *, field: str = "messages") -> Json:
    """Return a webhook that tells this of a number."""
    metadata = {"display_phone_number": number.digits, "phone_number_id": number.id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **told}
    entry = {"id": number.account.id, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def joined(bodies: Iterable[Json]) -> Json:
    """Put webhooks of one event each into one: an entry an account, a change for each number and kind, in it all."""
    entries: dict[str, Json] = {}
    for body in bodies:
        [entry] = body["entry"]
        [change] = entry["changes"]
        into = entries.setdefault(entry["id"], {"id": entry["id"], "changes": []})["changes"]
        like = next((one for one in into if _are_alike(one, change)), None)
        if like is None:
            into.append({"field": change["field"], "value": {**change["value"]}})
            continue
        value, more = like["value"], change["value"]
        for kind in ("messages", "statuses", "contacts"):
            if kind in more:
                known = value.get(kind, [])
                value[kind] = known + [one for one in more[kind] if one not in known]
    return {"object": "whatsapp_business_account", "entry": list(entries.values())}


def _are_alike(one: Json, other: Json) -> bool:
    """Say whether two changes tell the same kind of thing of the same number."""

    def kind(change: Json) -> tuple[object, ...]:
        value = change["value"]
        return change["field"], value["metadata"]["phone_number_id"], "messages" in value, "statuses" in value

    return one["field"] == "messages" and kind(one) == kind(other)


def contact(person: Person, *, username: bool = True) -> Json:
    profile = {"name": person.name}
    if username and person.username:
        profile["username"] = person.username
    told: Json = {"profile": profile, "user_id": person.user_id}
    if person.wa_id:
        told["wa_id"] = person.wa_id
    return told


def incoming(person: Person, id_: str, timestamp: int, content: Json) -> Json:
    message: Json = {"id": id_, "timestamp": str(timestamp), "from_user_id": person.user_id, **content}
    if person.wa_id:
        message["from"] = person.wa_id
    return message


def echo(number: Number, person: Person, id_: str, timestamp: int, content: Json, *, names_user: bool) -> Json:
    """Return what tells of a message that was typed in the WhatsApp Business app."""
    message: Json = {"from": number.digits, "id": id_, "timestamp": str(timestamp), **content}
    if person.wa_id:
        message["to"] = person.wa_id
    if not names_user:
        return {"message_echoes": [message]}
    message["to_user_id"] = person.user_id
    return {"contacts": [contact(person)], "message_echoes": [message]}


def media(media_id: str, body: bytes, mime_type: str) -> Json:
    """Return what an incoming message tells of its file."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return {"id": media_id, "mime_type": mime_type, "sha256": digest}


def status(chat: Chat, message: ChatMessage, word: str, timestamp: int, *, code: int | None = None) -> Json:
    """Return what became of a message. What it costs is told with "sent", and once more when it has arrived."""
    person = chat.person
    told: Json = {"id": message.id, "status": word, "timestamp": str(timestamp)}
    if person.wa_id:
        told["recipient_id"] = person.wa_id
    if person.user_id:
        told["recipient_user_id"] = person.user_id
    if message.tracker is not None:
        told["biz_opaque_callback_data"] = message.tracker
    if code is not None:
        told["errors"] = [_error(code)]
    elif word in ("sent", "delivered") and message.origin:
        category, free = message.origin["category"], message.origin["free"]
        conversation: Json = {"id": f"conversation-{person.user_id}-{category}", "origin": {"type": category}}
        if word == "sent":
            conversation["expiration_timestamp"] = str(message.at + int(_CONVERSATION.total_seconds()))
        told["conversation"] = conversation
        told["pricing"] = {
            "billable": not free,
            "pricing_model": "PMP",
            "category": category,
            "type": "free_customer_service" if free else "regular",
        }
    contacts = [] if word == "failed" else [contact(person, username=word != "sent")]
    return {"contacts": contacts, "statuses": [told]} if contacts else {"statuses": [told]}


def _error(code: int) -> Json:
    details = {
        131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
        "number.",
        131026: "Message undeliverable.",
        131051: "Message type is currently not supported.",
    }
    return {
        "code": code,
        "title": title(code),
        "message": title(code),
        "error_data": {"details": details.get(code, title(code))},
        "href": _PAGE,
    }


def unsupported() -> Json:
    """Return the content of a message that the Cloud API cannot show (a poll, one that is seen once, an edit)."""
    error = {**_error(131051), "title": "Message type unknown", "message": "Message type unknown"}
    del error["href"]
    return {"type": "unsupported", "errors": [error]}
