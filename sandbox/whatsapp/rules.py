"""What the Cloud API takes in `POST /{phone-number-id}/messages`: required fields, lengths, counts.

After Meta's description of the Cloud API (OpenAPI v23.0) and its pages on text, interactive and template messages. Not
verified with Meta: the limit of 1024 characters of the body of interactive messages with buttons (4096 with a list),
and that equal titles of buttons are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.whatsapp.errors import Refused, missing, wrong
from sandbox.whatsapp.state import Json, Number

TEXT = 4096
_BODY_BUTTONS, _BODY_LIST, _HEADER, _FOOTER = 1024, 4096, 60, 60
_BUTTONS, _BUTTON_TITLE, _BUTTON_ID = 3, 20, 256
_ROWS, _SECTIONS, _ROW_TITLE, _ROW_DESCRIPTION, _ROW_ID, _SECTION_TITLE, _LIST_BUTTON = 10, 10, 24, 72, 200, 24, 20
_CAPTION = 1024
_TOP = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
)
_MEDIA = frozenset({"image", "audio", "video", "document", "sticker"})
_NO_PARAMETER = re.compile(r"[\n\t]| {4,}")


def check_message(body: Json, number: Number) -> None:
    """Raise Refused where Meta would refuse this message."""
    if body.get("messaging_product") != "whatsapp":
        raise missing("messaging_product")
    if not body.get("to") and not body.get("recipient"):
        raise missing("to")
    type_ = body.get("type", "text")
    checker = _CHECKERS.get(type_) or (_check_media if type_ in _MEDIA else None)
    if checker is None:
        raise Refused(131051, f"Message type {type_!r} is not supported", broken=True)
    unknown = set(body) - _TOP - {type_}
    if unknown:
        raise Refused(100, f"Unexpected key {sorted(unknown)[0]!r} on param", broken=True)
    content = body.get(type_)
    if not isinstance(content, dict):
        raise missing(str(type_))
    checker(content, number)


def _check_text(content: Json, number: Number) -> None:
    _text(content.get("body"), "text.body", TEXT)


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
    _text(
        (content.get("body") or {}).get("text"),
        "interactive.body.text",
        _BODY_LIST if kind == "list" else _BODY_BUTTONS,
    )
    if "header" in content and content["header"].get("type") == "text":
        _text(content["header"].get("text"), "interactive.header.text", _HEADER)
    if "footer" in content:
        _text(content["footer"].get("text"), "interactive.footer.text", _FOOTER)
    action = content.get("action")
    if not isinstance(action, dict):
        raise missing("interactive.action")
    known[kind](action)


def _check_buttons(action: Json) -> None:
    replies = [one.get("reply") or {} for one in action.get("buttons") or [] if one.get("type") == "reply"]
    if not 1 <= len(replies) <= _BUTTONS or len(replies) != len(action.get("buttons") or []):
        raise wrong(f"interactive.action.buttons: 1 to {_BUTTONS} reply buttons, not {len(replies)}")
    for reply in replies:
        _text(reply.get("title"), "button.reply.title", _BUTTON_TITLE)
        _text(reply.get("id"), "button.reply.id", _BUTTON_ID)
    _unique([reply["id"] for reply in replies], "button.reply.id")
    _unique([reply["title"] for reply in replies], "button.reply.title")


def _check_list(action: Json) -> None:
    _text(action.get("button"), "interactive.action.button", _LIST_BUTTON)
    sections = action.get("sections") or []
    if not 1 <= len(sections) <= _SECTIONS:
        raise wrong(f"interactive.action.sections: 1 to {_SECTIONS}, not {len(sections)}")
    rows = [row for section in sections for row in section.get("rows") or []]
    if not 1 <= len(rows) <= _ROWS:
        raise wrong(f"interactive.action.sections: 1 to {_ROWS} rows in all, not {len(rows)}")
    for section in sections:
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


def _check_media(content: Json, number: Number) -> None:
    if bool(content.get("id")) == bool(content.get("link")):
        raise wrong("exactly one of id and link")
    if content.get("id") and content["id"] not in number.media:
        raise wrong("media id is unknown")
    if content.get("caption") is not None:
        _text(content["caption"], "caption", _CAPTION)


def _check_template(content: Json, number: Number) -> None:
    name, language = content.get("name"), (content.get("language") or {}).get("code")
    if not name:
        raise missing("template.name")
    if not language:
        raise missing("template.language.code")
    template = number.templates.get((str(name), str(language)))
    if template is None:
        raise Refused(132001, f"template {name!r} does not exist in {language!r}", broken=True)
    body: Json = next((one for one in content.get("components") or [] if str(one.get("type")).lower() == "body"), {})
    parameters = body.get("parameters") or []
    if len(parameters) != template.parameters:
        raise Refused(132000, f"expected {template.parameters} parameters, got {len(parameters)}", broken=True)
    for parameter in parameters:
        value = parameter.get("text")
        _text(value, "template parameter", TEXT)
        if _NO_PARAMETER.search(value):
            raise wrong("Param text cannot have new-line/tab characters or more than 4 consecutive spaces")


def _check_location(content: Json, number: Number) -> None:
    for name in ("latitude", "longitude"):
        if content.get(name) is None:
            raise missing(f"location.{name}")


def _check_reaction(content: Json, number: Number) -> None:
    if not content.get("message_id"):
        raise missing("reaction.message_id")


_CHECKERS: Mapping[Any, Callable[[Json, Number], None]] = {
    "text": _check_text,
    "interactive": _check_interactive,
    "template": _check_template,
    "location": _check_location,
    "reaction": _check_reaction,
}


def _text(value: Any, name: str, most: int) -> None:
    if not isinstance(value, str) or not value.strip():
        raise missing(name)
    if len(value) > most:
        raise wrong(f"{name}: {len(value)} characters, at most {most}")


def _unique(values: Sequence[str], name: str) -> None:
    if len(set(values)) != len(values):
        raise wrong(f"{name}: duplicated")
