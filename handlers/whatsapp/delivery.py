"""A Reply out to WhatsApp: free words within a day of the client's last message, an approved template after it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog
from pywa_async import WhatsApp
from pywa_async.errors import WhatsAppError
from pywa_async.types import Button, Section, SectionList, SectionRow
from pywa_async.types.templates import BodyText, TemplateLanguage

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
from orchestration.messages import Reply

log = structlog.get_logger()

WINDOW = timedelta(hours=24)
"""The customer service window (Meta's page "Sending messages")."""
TEMPLATE = "template"
"""The channel's option: {"name", "language", "takes_text"}, an approved template for what comes too late."""
_PAIR_REST = timedelta(seconds=20)
_NUMBER_REST = timedelta(seconds=5)
_ACCOUNT_REST = timedelta(minutes=5)
_LONGEST_PARAMETER = 600


async def deliver(
    client: WhatsApp, channel: Channel, outgoing: OutgoingReply, permit: Permit, now: Callable[[], datetime]
) -> AsyncIterator[str]:
    """Send what of the reply has not been taken yet, piece by piece. Raises DeliveryError."""
    reply = Reply.model_validate(outgoing.payload)
    if reply.text and _is_closed(outgoing, now()):
        if outgoing.sent_parts == 0:
            await permit()
            yield await _sent(_send_template(client, channel, outgoing.dialogue_key, reply.text))
        return
    pieces = draw(reply)
    for piece in pieces[outgoing.sent_parts :]:
        await permit()
        yield await _sent(_send(client, outgoing.dialogue_key, piece))


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


async def _send_template(client: WhatsApp, channel: Channel, to: str, text: str) -> Any:
    """Send the company's template. Raises WindowClosed where none is set."""
    template = channel.options.get(TEMPLATE)
    if not isinstance(template, dict) or not template.get("name"):
        raise WindowClosed("no template is set")
    # A parameter takes no line ends, no tabs and no four spaces in a row.
    flat = re.sub(r"\s+", " ", text).strip()[:_LONGEST_PARAMETER]
    # pywa declares the static method as if it took the component itself.
    params = [BodyText.params(flat)] if template.get("takes_text") else None  # type: ignore[arg-type]
    return await client.send_template(to, str(template["name"]), TemplateLanguage(str(template["language"])), params)


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
    except (httpx.HTTPError, ValueError) as error:
        raise OutcomeUnknown(type(error).__name__) from error


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
        case _ if (error.status_code or 0) >= 500:
            return DeliveryDelayed(reason)
        case _:
            return ReplyRefused(reason)
