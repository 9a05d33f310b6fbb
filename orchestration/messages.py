"""The channel-neutral vocabulary: what a client sends in, what goes out. Also the body of `POST /process`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AttachmentKind(StrEnum):
    VOICE = "voice"
    """Anything to be listened to: a voice note, or an audio file."""
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    LOCATION = "location"
    CONTACT = "contact"
    """Somebody's contact that proves nothing; the sender's own proved one is `Message.proved_phone`."""
    STICKER = "sticker"
    OTHER = "other"
    """What the channel itself cannot show us, or what is newer than this program."""


class Attachment(_Frozen):
    """Something that is not text. `ref` is the channel's own handle for fetching it, never a URL with a token.

    `seconds` and `size` (bytes) are what the channel says of it; None: it does not say.
    """

    kind: AttachmentKind
    ref: str = ""
    mime_type: str | None = None
    seconds: float | None = None
    size: int | None = None


class Command(StrEnum):
    """What a client may ask for by a command, in any channel; where there are no commands, by the same words."""

    START = "start"
    BOOK = "book"
    MY = "my"
    PERSON = "person"
    LANGUAGE = "language"
    HELP = "help"
    STOP = "stop"
    """Nothing unasked any more."""
    DELETE_ME = "delete_me"


class CallEvent(StrEnum):
    """What happens to a telephone call besides words."""

    ENDED = "ended"
    """It is over, and nobody hears an answer any more."""
    DROPPED = "dropped"
    """The same, in the middle: what was said last may not have been heard."""
    UNCLEAR = "unclear"
    """Again and again nothing could be understood."""
    NOT_REACHED = "not_reached"
    """It was passed on, and nobody picked up: the caller is back."""


class Sender(_Frozen):
    """What the channel says of the person who writes. `phone` (E.164): the number is proved to be theirs.

    `caller` (E.164): the number that a call came from. It can be forged, and counts as one that was typed.
    """

    name: str | None = None
    language: str | None = None
    phone: str | None = None
    caller: str | None = None


class Message(_Frozen):
    """One thing that a client sent. Exactly what it was: words, a command, a button press, a contact, an attachment.

    `id` is the channel's own id of the message. `action` is a pressed button's payload. `proved_phone` (E.164) is set
    only where the channel vouches that it is the sender's own number.
    """

    id: str
    sent_at: datetime
    text: str = ""
    command: Command | None = None
    argument: str | None = None
    """What followed the command: a deep link's parameter after /start."""
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
    call_event: CallEvent | None = None
    """What happened to the telephone call itself."""
    attachments: tuple[Attachment, ...] = ()
    edits: str | None = None
    """The id of the message that the client has changed into this one."""
    quoted: str | None = None
    """The words of the message that this one replies to, where the channel tells them."""
    sender: Sender = Sender()

    @property
    def is_free_text(self) -> bool:
        """Free text may wait for the rest of a burst; everything else is answered at once."""
        other = self.command or self.action or self.proved_phone or self.attachments or self.call_event
        return bool(self.text) and not other


def storable(text: str) -> str:
    """Return the text without what no database keeps: NUL is left out, half of a character becomes a question mark.

    JSON may name both (`\\u0000`, `\\ud83d`), so a messenger's client may send them.
    """
    return text.replace("\x00", "").encode(errors="replace").decode()


def as_storable(message: Message) -> Message:
    """Return the message with every text in it storable."""
    said = message.model_dump()
    kept = _storable(said)
    return message if kept == said else Message.model_validate(kept)


def _storable(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return storable(value)
    if isinstance(value, dict):
        return {name: _storable(one) for name, one in value.items()}
    return tuple(_storable(one) for one in value) if isinstance(value, tuple) else value


def with_command(message: Message) -> Message:
    """Read a typed command as Telegram does: the first word, without a bot's name; what follows is its argument."""
    first, _, rest = message.text.strip().partition(" ")
    name = first.removeprefix("/").partition("@")[0].lower() if first.startswith("/") else ""
    if name not in set(Command):
        return message
    return message.model_copy(update={"command": Command(name), "argument": rest.strip() or None, "text": ""})


class Button(_Frozen):
    """A choice the client may tap. `action` comes back as `Message.action`; at most 64 bytes (Telegram's limit).

    `text` is short; `detail` is what helps to choose (a price, a weekday), drawn where the channel has room for it.
    """

    text: str
    action: str = Field(max_length=64)
    detail: str = ""


class Choices(_Frozen):
    """How a channel offers choices. `most`: how many in one reply; `drawn` False: the client answers with a number."""

    most: int
    drawn: bool = True


class TemplateWords(_Frozen):
    """How a reply is said where a messenger takes no free words any more: by a template that the business had approved.

    `name`: what it is for, as the channel's options name it. `words` fill its places in order; `actions` are what its
    quick replies bring back, in order, whichever of them the reply itself shows.
    """

    name: str
    words: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class OutgoingFile(_Frozen):
    """A file on its way from one chat to another. `ref`: its handle in the channel that it came through."""

    kind: AttachmentKind
    ref: str
    channel_id: str
    mime_type: str | None = None


class Reply(_Frozen):
    """One answer to the client. Channels draw buttons and the request for a contact in their own way.

    `acknowledges` names a button press that this reply answers (Telegram shows a spinner until it is acknowledged);
    a reply without text is only that acknowledgement. `closes_buttons_of` names the message whose buttons are used up.
    """

    text: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    list_label: str = ""
    """The words on the button that opens the choices, in a channel that draws many of them as a list."""
    ask_contact: str | None = None
    """The label of the button that shares the client's own contact; None: not asked for."""
    drop_keyboard: bool = False
    acknowledges: str | None = None
    closes_buttons_of: str | None = None
    in_place: bool = False
    """This reply is the next page of what was pressed: where the channel can, it takes that message's place."""
    replaces: str | None = None
    """The message whose place it takes; where that is not possible (any more), it goes out as a new one."""
    spoken: bool = False
    """The client has heard it already, sentence by sentence, as it was written."""
    template: TemplateWords | None = None
    """The template of its own that this reply has; None: where no free words are taken it goes out as any answer."""
    file: OutgoingFile | None = None
    """Goes before the words, which stand under it where they are short."""
    topic: int | None = None
    """The topic of a staff group that it belongs in."""
    silent: bool = False
    """It makes no sound: nobody is at work."""
    pinned: bool = False
    """It stays at the top of its chat or topic."""

    @property
    def choices(self) -> tuple[Button, ...]:
        """Return the buttons in order, whatever rows they stand in."""
        return tuple(button for row in self.buttons for button in row)
