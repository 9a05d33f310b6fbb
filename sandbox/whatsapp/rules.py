"""What the Cloud API takes in `POST /{phone-number-id}/messages`: required fields, lengths, counts.

After Meta's description of the Cloud API (OpenAPI v23.0) and its pages on each kind of message. Not verified with Meta:
the limit of 1024 characters of the body of interactive messages with buttons (4096 with a list), that equal titles of
buttons are refused, that a file of another kind is refused at once, and whether a character outside the BMP counts as
one (here it does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.whatsapp.errors import Refused, missing, objects, unexpected, wrong
from sandbox.whatsapp.files import kinds_of
from sandbox.whatsapp.state import Json, Number
from sandbox.whatsapp.templates import check_template

TEXT = 4096
_BODY_BUTTONS, _BODY_LIST, _HEADER, _FOOTER = 1024, 4096, 60, 60
_BUTTONS, _BUTTON_TITLE, _BUTTON_ID = 3, 20, 256
_ROWS, _SECTIONS, _ROW_TITLE, _ROW_DESCRIPTION, _ROW_ID, _SECTION_TITLE, _LIST_BUTTON = 10, 10, 24, 72, 200, 24, 20
_CAPTION = 1024
_TRACKER = 512
_CONTACTS = 257
_TOP = frozenset(
    {
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "context",
        "biz_opaque_callback_data",
        "recipient_identity_key_hash",
    }
)
_MEDIA: Mapping[str, frozenset[str]] = {
    "image": frozenset({"id", "link", "caption"}),
    "video": frozenset({"id", "link", "caption"}),
    "audio": frozenset({"id", "link", "voice"}),
    "document": frozenset({"id", "link", "caption", "filename"}),
    "sticker": frozenset({"id", "link"}),
}
_PHONE = re.compile(r"\+?[\d\s()-]{5,25}")


def check_message(body: Json, number: Number) -> None:
    """Raise Refused where Meta would refuse this message."""
    if body.get("messaging_product") != "whatsapp":
        raise missing("messaging_product")
    if not body.get("to") and not body.get("recipient"):
        raise missing("to")
    if body.get("to") and not _PHONE.fullmatch(str(body["to"])):
        raise wrong("to: not a phone number")
    if body.get("recipient_type", "individual") != "individual":
        raise wrong("recipient_type: only individual")
    _text(body.get("biz_opaque_callback_data", "-"), "biz_opaque_callback_data", _TRACKER)
    if "context" in body and not _dict(body, "context", "body").get("message_id"):
        raise missing("context.message_id")
    type_ = body.get("type", "text")
    if type_ not in _CHECKERS and type_ not in _MEDIA:
        raise Refused(131051, f"Message type {type_!r} is not supported", broken=True)
    for key in sorted(set(body) - _TOP - {type_}):
        raise unexpected(key, "message")
    if type_ == "contacts":
        _check_contacts(body.get("contacts"))
    elif type_ in _MEDIA:
        _check_media(str(type_), _dict(body, str(type_), ""), number)
    else:
        _CHECKERS[type_](_dict(body, str(type_), ""), number)


def _check_text(content: Json, number: Number) -> None:
    _text(content.get("body"), "text.body", TEXT)
    for key in sorted(set(content) - {"body", "preview_url"}):
        raise unexpected(key, "text")


def _check_interactive(content: Json, number: Number) -> None:
    kind = content.get("type")
    known: Mapping[Any, Callable[[Json], None]] = {
        "button": _check_buttons,
        "list": _check_list,
        "request_contact_info": _check_named_action("request_contact_info"),
        "location_request_message": _check_named_action("send_location"),
    }
    if kind not in known:
        raise wrong(f"interactive.type {kind!r}")
    most = _BODY_LIST if kind == "list" else _BODY_BUTTONS
    _text(_dict(content, "body", "interactive").get("text"), "interactive.body.text", most)
    if "header" in content:
        _check_header(_dict(content, "header", "interactive"), str(kind), number)
    if "footer" in content:
        _text(_dict(content, "footer", "interactive").get("text"), "interactive.footer.text", _FOOTER)
    known[kind](_dict(content, "action", "interactive"))


def _check_header(header: Json, kind: str, number: Number) -> None:
    type_ = header.get("type")
    if type_ == "text":
        _text(header.get("text"), "interactive.header.text", _HEADER)
    elif kind == "button" and type_ in ("image", "video", "document"):
        _check_media(type_, _dict(header, type_, "interactive.header"), number)
    else:
        raise wrong(f"interactive.header.type {type_!r} with {kind}")


def _check_buttons(action: Json) -> None:
    buttons = objects(action.get("buttons"), "interactive.action.buttons")
    if not 1 <= len(buttons) <= _BUTTONS or any(one.get("type") != "reply" for one in buttons):
        raise wrong(f"interactive.action.buttons: 1 to {_BUTTONS} reply buttons, not {len(buttons)}")
    replies = [_dict(one, "reply", "interactive.action.buttons") for one in buttons]
    for reply in replies:
        _text(reply.get("title"), "button.reply.title", _BUTTON_TITLE)
        _text(reply.get("id"), "button.reply.id", _BUTTON_ID)
    _unique([reply["id"] for reply in replies], "button.reply.id")
    _unique([reply["title"] for reply in replies], "button.reply.title")


def _check_list(action: Json) -> None:
    _text(action.get("button"), "interactive.action.button", _LIST_BUTTON)
    sections = objects(action.get("sections"), "interactive.action.sections")
    if not 1 <= len(sections) <= _SECTIONS:
        raise wrong(f"interactive.action.sections: 1 to {_SECTIONS}, not {len(sections)}")
    rows = [row for section in sections for row in objects(section.get("rows"), "section.rows")]
    if not 1 <= len(rows) <= _ROWS:
        raise wrong(f"interactive.action.sections: 1 to {_ROWS} rows in all, not {len(rows)}")
    for section in sections:
        if not section.get("rows"):
            raise missing("section.rows")
        if len(sections) > 1 or section.get("title") is not None:
            _text(section.get("title"), "section.title", _SECTION_TITLE)
    for row in rows:
        _text(row.get("title"), "row.title", _ROW_TITLE)
        _text(row.get("id"), "row.id", _ROW_ID)
        if row.get("description") is not None:
            _text(row["description"], "row.description", _ROW_DESCRIPTION)
    _unique([row["id"] for row in rows], "row.id")


def _check_named_action(name: str) -> Callable[[Json], None]:
    def check(action: Json) -> None:
        if action.get("name") != name:
            raise wrong(f"interactive.action.name must be {name}")

    return check


def _check_media(kind: str, content: Json, number: Number) -> None:
    """A link is only looked at, not fetched: what Meta says of an address that does not answer, it says later."""
    for key in sorted(set(content) - _MEDIA[kind]):
        raise unexpected(key, kind)
    media_id, link = content.get("id"), content.get("link")
    if bool(media_id) == bool(link):
        raise wrong(f"{kind}: exactly one of id and link")
    if link and not str(link).startswith(("https://", "http://")):
        raise wrong(f"{kind}.link: not an http(s) address")
    if media_id:
        media = number.media.get(str(media_id))
        if media is None:
            raise wrong(f"{kind}.id: unknown")
        if kind not in kinds_of(media.mime_type):
            raise wrong(f"{kind}.id: {media.mime_type} is of another kind")
    if content.get("caption") is not None:
        _text(content["caption"], f"{kind}.caption", _CAPTION)


def _check_contacts(contacts: Any) -> None:
    given = objects(contacts, "contacts")
    if not given:
        raise missing("contacts")
    if len(given) > _CONTACTS:
        raise wrong(f"contacts: at most {_CONTACTS}")
    for contact in given:
        name = _dict(contact, "name", "contacts")
        _text(name.get("formatted_name"), "contacts.name.formatted_name", TEXT)
        if len(name) < 2:
            raise missing("contacts.name: formatted_name and at least one name more")


def _check_location(content: Json, number: Number) -> None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        if content.get(name) is None:
            raise missing(f"location.{name}")
        try:
            within = abs(float(content[name])) <= most
        except (TypeError, ValueError):
            within = False
        if not within:
            raise wrong(f"location.{name}")


def _check_reaction(content: Json, number: Number) -> None:
    message_id = content.get("message_id")
    if not message_id:
        raise missing("reaction.message_id")
    if not any(chat.find(str(message_id)) for chat in number.chats.values()):
        raise wrong("reaction.message_id: no such message")
    if not isinstance(content.get("emoji"), str):
        raise missing("reaction.emoji")


_CHECKERS: Mapping[Any, Callable[[Json, Number], None]] = {
    "text": _check_text,
    "interactive": _check_interactive,
    "template": lambda content, number: check_template(content, number.account.templates),
    "location": _check_location,
    "reaction": _check_reaction,
    "contacts": lambda content, number: None,
}


def _dict(content: Json, name: str, where: str) -> Json:
    value = content.get(name)
    path = f"{where}.{name}".lstrip(".")
    if value is None:
        raise missing(path)
    if not isinstance(value, dict):
        raise Refused(100, f"Param {path} must be a JSON object", broken=True)
    return value


def _text(value: Any, name: str, most: int) -> None:
    if value is not None and not isinstance(value, str):
        raise Refused(100, f"Param {name} must be a string", broken=True)
    if value is None or not value.strip():
        raise missing(name)
    if len(value) > most:
        raise wrong(f"{name}: {len(value)} characters, at most {most}")


def _unique(values: Sequence[str], name: str) -> None:
    if len(set(values)) != len(values):
        raise wrong(f"{name}: duplicated")
