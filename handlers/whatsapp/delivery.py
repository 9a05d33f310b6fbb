"""A Reply out to WhatsApp: free words within a day of the client's last message, an approved template after it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog
from pywa_async import WhatsApp
from pywa_async.errors import WhatsAppError
from pywa_async.types import Button, Section, SectionList, SectionRow
from pywa_async.types.templates import BodyText, QuickReplyButton, TemplateLanguage

from db.records import Channel, OutgoingReply
from handlers.base import (
    ChannelBroken,
    ClientUnreachable,
    DeliveryDelayed,
    DeliveryError,
    Flooded,
    OutcomeUnknown,
    Permit,
    ReplyRefused,
    WindowClosed,
)
from handlers.whatsapp.drawing import Piece, draw
from handlers.whatsapp.options import TEMPLATE, TEMPLATES
from orchestration.messages import AttachmentKind, OutgoingFile, Reply, TemplateWords

log = structlog.get_logger()

WINDOW = timedelta(hours=24)
"""The customer service window (Meta's page "Sending messages")."""
_PAIR_REST = timedelta(seconds=20)
_NUMBER_REST = timedelta(seconds=5)
_ACCOUNT_REST = timedelta(minutes=5)
_LONGEST_PARAMETER = 600
_NOT_THERE = 33
"""Graph API's subcode for what does not exist or may not be seen."""
_LANGUAGES = frozenset(language.value for language in TemplateLanguage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An approved template of the company's. `takes_text`: its {{1}} takes the words that could not go out.

    `buttons`: how many quick replies it has.
    """

    name: str
    language: TemplateLanguage
    takes_text: bool = False
    buttons: int = 0

    @classmethod
    def of(cls, options: Mapping[str, Any], purpose: str | None = None) -> Template | None:
        """Read a channel's options; None where they name none that could be sent.

        `purpose` None: the one for whatever has none of its own.
        """
        own = options.get(TEMPLATES)
        given = options.get(TEMPLATE) if purpose is None else own.get(purpose) if isinstance(own, dict) else None
        if not isinstance(given, dict) or not given.get("name") or given.get("language") not in _LANGUAGES:
            return None
        language = TemplateLanguage(given["language"])
        buttons = given.get("buttons")
        return cls(
            name=str(given["name"]),
            language=language,
            takes_text=bool(given.get("takes_text")),
            buttons=buttons if isinstance(buttons, int) else 0,
        )


async def deliver(
    client: WhatsApp, channel: Channel, outgoing: OutgoingReply, permit: Permit, now: Callable[[], datetime]
) -> AsyncIterator[str]:
    """Send what of the reply has not been taken yet, piece by piece. Raises DeliveryError."""
    reply = Reply.model_validate(outgoing.payload)
    if (reply.text or reply.file) and _is_closed(outgoing, now()):
        if outgoing.sent_parts == 0:
            yield await _instead(client, channel, outgoing.dialogue_key, reply, permit)
        return
    if reply.file is not None:
        if outgoing.sent_parts == 0:
            await permit()
            yield await _sent(_send_file(client, outgoing, reply.file, reply.text))
        return
    pieces = draw(reply)
    for piece in pieces[outgoing.sent_parts :]:
        await permit()
        yield await _sent(_send(client, outgoing.dialogue_key, piece))


def _send_file(client: WhatsApp, outgoing: OutgoingReply, file: OutgoingFile, caption: str) -> Any:
    """Upload and send a file (Meta's pages "Media" and "Messages"); a voice note takes no words under it."""
    to, content = outgoing.dialogue_key, outgoing.file or b""
    words = caption or None
    match file.kind:
        case AttachmentKind.IMAGE:
            return client.send_image(to, content, words, mime_type=file.mime_type or "image/jpeg")
        case AttachmentKind.VOICE:
            return client.send_audio(to, content, mime_type=file.mime_type or "audio/ogg")
        case AttachmentKind.VIDEO:
            return client.send_video(to, content, words, mime_type=file.mime_type or "video/mp4")
        case _:
            mime_type = file.mime_type or "application/octet-stream"
            return client.send_document(to, content, filename=file.kind.value, caption=words, mime_type=mime_type)


def _is_closed(outgoing: OutgoingReply, now: datetime) -> bool:
    wrote_at = outgoing.client_wrote_at
    return outgoing.window_closed or wrote_at is None or now - wrote_at > WINDOW


async def _send(client: WhatsApp, to: str, piece: Piece) -> Any:
    if piece.asks_contact:
        return await client.request_contact_info(to, piece.text)
    if piece.rows:
        rows = [
            SectionRow(title=row.title, callback_data=row.id, description=row.description or None) for row in piece.rows
        ]
        sections = SectionList(button_title=piece.list_button, sections=[Section(title=piece.list_button, rows=rows)])
        return await client.send_message(to, piece.text, buttons=sections)
    buttons = [Button(title=one.title, callback_data=one.id) for one in piece.buttons]
    return await client.send_message(to, piece.text, buttons=buttons or None)


async def _instead(client: WhatsApp, channel: Channel, to: str, reply: Reply, permit: Permit) -> str:
    """Send a template of the company's instead: the reply's own, else the one for any words.

    Raises WindowClosed where none is set, or where Meta refuses it.
    """
    own = Template.of(channel.options, reply.template.name) if reply.template is not None else None
    if own is not None and reply.template is not None:
        await permit()
        try:
            return await _sent(client.send_template(to, own.name, own.language, _params(own, reply.template)))
        except ReplyRefused as error:
            log.warning("whatsapp_template_refused", template=own.name, error=str(error))
    template = Template.of(channel.options)
    if template is None:
        raise WindowClosed("no template is set")
    await permit()
    # pywa declares the static method as if it took the component itself.
    params = [BodyText.params(_flat(reply.text))] if template.takes_text else None  # type: ignore[arg-type]
    try:
        return await _sent(client.send_template(to, template.name, template.language, params))
    except ReplyRefused as error:
        # Paused, disabled, or with other parameters than it was set up with: staff have to know what was not said.
        raise WindowClosed(f"the template {template.name!r} was refused: {error}") from error


def _params(template: Template, words: TemplateWords) -> list[Any]:
    """Fill a template's places, and say what each of its quick replies brings back."""
    body = BodyText.params(*map(_flat, words.words))  # type: ignore[arg-type]
    payloads = words.actions[: template.buttons]
    return [body, *(QuickReplyButton.params(callback_data=one, index=place) for place, one in enumerate(payloads))]


def _flat(text: str) -> str:
    """Return a text as a parameter takes it: no line ends, no tabs and no four spaces in a row."""
    return re.sub(r"\s+", " ", text).strip()[:_LONGEST_PARAMETER]


async def _sent(call: Any) -> str:
    """Return the id of what was taken."""
    try:
        return str((await call).id)
    except WhatsAppError as error:
        raise translated(error) from error
    except KeyError:
        # Meta took it and answered without the person's id, where pywa looks for one: what was sent must not go again.
        log.warning("whatsapp_answer_not_read")
        return "unknown"
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        # Without a connection nothing was written.
        raise DeliveryDelayed(type(error).__name__) from error
    except (httpx.HTTPError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise OutcomeUnknown(type(error).__name__) from error
    except ValueError as error:
        # pywa itself refuses it, before anything is written: a dialogue's key that is no address, for one.
        raise ReplyRefused(str(error)) from error


def translated(error: WhatsAppError) -> DeliveryError:
    """Say what an error code of Meta's page "Error codes" means for a delivery."""
    code = int(error.code)
    reason = f"{code}: {error.message}"
    match code:
        case 131047:
            return WindowClosed(reason)
        case 131056:
            return Flooded(_PAIR_REST, everyone=False)
        case 130429:
            return Flooded(_NUMBER_REST, everyone=True)
        case 4 | 80007 | 131048:
            return Flooded(_ACCOUNT_REST, everyone=True)
        case 131026 | 131030:
            return ClientUnreachable(reason)
        case 0 | 3 | 10 | 190 | 368 | 131005 | 131031 | 131042 | 131045 | 133010:
            return ChannelBroken(reason)
        case _ if 200 <= code <= 299:
            return ChannelBroken(reason)
        case 1 | 2 | 131000 | 131016 | 131057 | 133004:
            return DeliveryDelayed(reason)
        case 100 if error.subcode == _NOT_THERE:
            # The number is gone, or the token may not see it: Graph API words both alike.
            return ChannelBroken(reason)
        case _ if error.is_transient or (error.status_code or 0) >= 500:
            return DeliveryDelayed(reason)
        case _:
            return ReplyRefused(reason)
