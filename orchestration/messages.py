"""The channel-neutral vocabulary: what a client sends in, what goes out. Also the body of `POST /process`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AttachmentKind(StrEnum):
    VOICE = "voice"
    IMAGE = "image"
    DOCUMENT = "document"
    LOCATION = "location"
    OTHER = "other"


class Attachment(_Frozen):
    """Something that is not text. `ref` is the channel's own handle for fetching it, never a URL with a token."""

    kind: AttachmentKind
    ref: str = ""
    mime_type: str | None = None


class Command(StrEnum):
    """What a client may ask for by a command, in any channel."""

    START = "start"
    HELP = "help"
    PERSON = "person"
    MY = "my"


class Sender(_Frozen):
    """What the channel says of the person who writes."""

    name: str | None = None
    language: str | None = None


class Message(_Frozen):
    """One thing that a client sent. Exactly what it was: words, a command, a button press, a contact, an attachment.

    `id` is the channel's own id of the message. `action` is a pressed button's payload. `proved_phone` (E.164) is set
    only where the channel vouches that it is the sender's own number.
    """

    id: str
    sent_at: datetime
    text: str = ""
    command: Command | None = None
    action: str | None = None
    label: str | None = None
    """The words on the pressed button, where the channel tells them."""
    press_id: str | None = None
    """The channel's id of the button press, to be acknowledged."""
    pressed_message_id: str | None = None
    """The message whose button was pressed."""
    proved_phone: str | None = None
    foreign_contact: bool = False
    """A contact was shared that is not the sender's own."""
    attachments: tuple[Attachment, ...] = ()
    sender: Sender = Sender()

    @property
    def is_free_text(self) -> bool:
        """Free text may wait for the rest of a burst; everything else is answered at once."""
        return bool(self.text) and self.command is None and self.action is None and self.proved_phone is None


class Button(_Frozen):
    """A choice the client may tap. `action` comes back as `Message.action`; at most 64 bytes (Telegram's limit)."""

    text: str
    action: str = Field(max_length=64)


class Reply(_Frozen):
    """One answer to the client. Channels draw buttons and the request for a contact in their own way.

    `acknowledges` names a button press that this reply answers (Telegram shows a spinner until it is acknowledged);
    a reply without text is only that acknowledgement. `closes_buttons_of` names the message whose buttons are used up.
    """

    text: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    ask_contact: str | None = None
    """The label of the button that shares the client's own contact; None: not asked for."""
    drop_keyboard: bool = False
    acknowledges: str | None = None
    closes_buttons_of: str | None = None
