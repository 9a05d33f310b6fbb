"""What the business's own people type in the WhatsApp Business app, beside the Cloud API ("coexistence"): they have
answered the client past us.

After Meta's page "smb_message_echoes webhook reference" (October 2025): it tells of messages sent with the app or a
linked device, and of none that were sent by the Cloud API. Not verified with Meta: whether the app's own automatic
greetings and absence messages come so too (nothing in the payload would tell them from a person's), and that the id of
a file can be fetched as that of a client's file is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from pywa_async import types
from pywa_async.types import MessageType

from handlers.whatsapp.media import attachment_of
from orchestration.identity import find_phones
from orchestration.messages import storable
from orchestration.staff_words import StaffWord

_SAID = frozenset(
    {
        MessageType.TEXT,
        MessageType.IMAGE,
        MessageType.AUDIO,
        MessageType.VIDEO,
        MessageType.DOCUMENT,
        MessageType.STICKER,
        MessageType.LOCATION,
        MessageType.CONTACTS,
    }
)
"""What a person answers with: a heart is no answer, and what this program does not know may be none."""


def word_of(value: Mapping[str, Any], message: types.OutgoingMessage) -> StaffWord | None:
    """Return what was said to the client; None where nothing was. `value`: the webhook's, with one echo in it."""
    if message.type not in _SAID:
        return None
    [echo] = value["message_echoes"]
    [contact] = value["contacts"]
    phones = find_phones(f"+{contact['wa_id']}") if contact.get("wa_id") else ()
    return StaffWord(
        message_id=storable(str(echo.get("id"))),
        sent_at=message.timestamp.astimezone(UTC),
        text=storable(message.text or message.caption or ""),
        attachment=None if message.type is MessageType.TEXT else attachment_of(echo),
        from_owner=True,
        client_phone=phones[0] if phones else None,
    )
