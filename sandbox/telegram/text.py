"""Telegram's rules for text and keyboards (Bot API: sendMessage, Formatting options, InlineKeyboardMarkup)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
CALLBACK_DATA_LIMIT = 64
_MOST_BUTTONS = 100
_COMMAND = re.compile(r"(?<![\w/@<])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")
_MENTION = re.compile(r"(?<![\w@/])@[A-Za-z0-9_]{4,32}\b")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)([^>]*)>")
_HTML_TAGS = frozenset(
    {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "tg-emoji", "code", "pre"}
    | {"blockquote"}
)
_MARKDOWN_V2_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")


class BadRequest(Exception):
    """Refused with HTTP 400; the text is Telegram's description after "Bad Request: "."""


def units(text: str) -> int:
    """Count as Telegram does: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def plain_text(text: str, parse_mode: str | None) -> str:
    """Return the text after entities parsing. Raises BadRequest for bad markup."""
    match (parse_mode or "").lower():
        case "":
            return text
        case "html":
            return _from_html(text)
        case "markdownv2":
            return _from_markdown_v2(text)
        case "markdown":
            return _from_markdown(text)
        case _:
            raise BadRequest("unsupported parse_mode")


def _from_html(text: str) -> str:
    open_tags: list[str] = []
    plain = []
    position = 0
    for tag in _TAG.finditer(text):
        plain.append(text[position : tag.start()])
        position = tag.end()
        closing, name = tag.group(1), tag.group(2).lower()
        offset = len(text[: tag.start()].encode())
        if name not in _HTML_TAGS:
            raise BadRequest(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {offset}')
        if not closing:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            raise BadRequest(f"can't parse entities: Unexpected end tag at byte offset {offset}")
    rest = text[position:]
    if open_tags:
        raise BadRequest(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1]}\"")
    joined = "".join((*plain, rest))
    if "<" in joined:
        raise BadRequest(f'can\'t parse entities: Unsupported start tag "" at byte offset {len(text.encode())}')
    return html.unescape(joined)


def _from_markdown_v2(text: str) -> str:
    plain: list[str] = []
    open_marks: list[str] = []
    escaped = False
    for character in text:
        if escaped:
            plain.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in "_*~`|":
            if open_marks and open_marks[-1] == character:
                open_marks.pop()
            else:
                open_marks.append(character)
        elif character in _MARKDOWN_V2_RESERVED:
            raise BadRequest(
                f"can't parse entities: Character '{character}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            plain.append(character)

    if open_marks:
        raise BadRequest("can't parse entities: Can't find end of the entity starting at byte offset 0")
    return "".join(plain)


def _from_markdown(text: str) -> str:
    for mark in ("*", "_", "`"):
        if text.count(mark) % 2:
            offset = len(text[: text.rindex(mark)].encode())
            raise BadRequest(f"can't parse entities: Can't find end of the entity starting at byte offset {offset}")
    return re.sub(r"[*_`]", "", text)


def check_text(text: str, parse_mode: str | None) -> str:
    """Return what the client will see. Raises BadRequest."""
    shown = plain_text(text, parse_mode).strip()
    if not shown:
        raise BadRequest("message text is empty")
    if units(shown) > TEXT_LIMIT:
        raise BadRequest("message is too long")
    return shown


def check_markup(markup: Any, chat_type: str) -> Mapping[str, Any] | None:
    """Return the keyboard if it is one that Telegram takes. Raises BadRequest."""
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise BadRequest("object expected as reply markup")
    if "inline_keyboard" in markup:
        _check_inline(markup["inline_keyboard"])
    elif "keyboard" in markup:
        _check_reply(markup["keyboard"], chat_type)
    elif not (markup.get("remove_keyboard") is True or markup.get("force_reply") is True):
        raise BadRequest("object expected as reply markup")
    return markup


def _check_inline(rows: Any) -> None:
    buttons = [button for row in _rows(rows) for button in row]
    if len(buttons) > _MOST_BUTTONS:
        raise BadRequest("reply markup is too long")
    for button in buttons:
        actions = set(button) & {"url", "callback_data", "web_app", "login_url", "switch_inline_query", "pay"}
        if not str(button.get("text", "")).strip():
            raise BadRequest('can\'t parse inline keyboard button: Field "text" must be non-empty')
        if len(actions) != 1:
            raise BadRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= CALLBACK_DATA_LIMIT:
            raise BadRequest("BUTTON_DATA_INVALID")


def _check_reply(rows: Any, chat_type: str) -> None:
    for row in _rows(rows):
        for button in row:
            text = button if isinstance(button, str) else button.get("text")
            if not text:
                raise BadRequest('can\'t parse keyboard button: Field "text" must be non-empty')
            if isinstance(button, dict) and button.get("request_contact") and chat_type != "private":
                raise BadRequest("phone number can be requested in private chats only")


def _rows(rows: Any) -> list[list[Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise BadRequest("can't parse keyboard: expected an Array of Arrays")
    return rows


def check_caption(text: str, parse_mode: str | None) -> str:
    """Return the caption that will be seen. Raises BadRequest."""
    shown = plain_text(text, parse_mode).strip()
    if units(shown) > CAPTION_LIMIT:
        raise BadRequest("message caption is too long")
    return shown


def entities_of(text: str) -> list[dict[str, Any]]:
    """Return the commands and mentions in what a person wrote, as MessageEntity objects."""
    found = []
    for pattern, kind in ((_COMMAND, "bot_command"), (_MENTION, "mention")):
        for match in pattern.finditer(text):
            found.append({"type": kind, "offset": units(text[: match.start()]), "length": units(match.group())})
    return sorted(found, key=lambda entity: int(entity["offset"]))
