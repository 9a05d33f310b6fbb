"""WhatsApp's half of the worker: an update through pywa's handlers into Messages. Handlers only translate.

pywa has no middleware, logs what a handler raises and goes on, and says nothing of what it could not read: the tenant
and the collector come by a context variable, a failure is handed back to the worker, and what no handler took is
answered as something that cannot be read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog
from pywa_async import types
from pywa_async.errors import WhatsAppError
from pywa_async.handlers import (
    CallbackButtonHandler,
    CallbackSelectionHandler,
    DeletedMessageHandler,
    EditedMessageHandler,
    Handler,
    MessageHandler,
    MessageStatusHandler,
    OutgoingDeletedMessageHandler,
    OutgoingEditedMessageHandler,
    OutgoingMessageHandler,
)
from pywa_async.types import MessageStatusType, MessageType
from pywa_async.types.others import ContactsOrigin

from crm.base import BaseCRMAdapter
from db.records import (
    Channel,
    ChannelType,
    DeliveryEvent,
    DeliveryReport,
    Dialogue,
    OutgoingReply,
    StoredUpdate,
)
from handlers.base import ASIDE, Permit, SendLimits, TurnCollector, UnreadableUpdate, is_staffs
from handlers.whatsapp.delivery import deliver
from handlers.whatsapp.drawing import ROWS
from handlers.whatsapp.limits import LIMITS
from handlers.whatsapp.media import attachment_of, fetch
from handlers.whatsapp.numbers import Numbers
from handlers.whatsapp.own_phone import word_of
from orchestration.identity import find_phones
from orchestration.messages import Attachment, AttachmentKind, Choices, Command, Message, Sender, with_command
from orchestration.ports import Clock
from orchestration.scope import CompanyScope

log = structlog.get_logger()

_REPORTS = {
    MessageStatusType.SENT: DeliveryEvent.SENT,
    MessageStatusType.DELIVERED: DeliveryEvent.DELIVERED,
    MessageStatusType.READ: DeliveryEvent.READ,
    MessageStatusType.PLAYED: DeliveryEvent.READ,
    MessageStatusType.FAILED: DeliveryEvent.FAILED,
}
_LOST = {131047: DeliveryEvent.WINDOW_CLOSED, 131026: DeliveryEvent.UNREACHABLE}
_COURTESY_TIMEOUT_S = 3


@dataclass(slots=True)
class Feed:
    """What the handlers of one update work with, and what came of it."""

    channel: Channel
    collector: TurnCollector
    update: Mapping[str, Any]
    scope: CompanyScope | None = None
    crm: BaseCRMAdapter | None = None
    taken: bool = False
    failure: Exception | None = field(default=None)

    @property
    def value(self) -> dict[str, Any]:
        return dict(self.update["entry"][0]["changes"][0]["value"])

    @property
    def item(self) -> dict[str, Any]:
        """Return the one message, status or echo that the update carries."""
        value = self.value
        return dict((value.get("messages") or value.get("statuses") or value.get("message_echoes") or [{}])[0])


current_feed: ContextVar[Feed] = ContextVar("current_feed")
"""Set round pywa's handling of an update, which runs in the same task."""

Bind = Callable[[Feed], Awaitable[None]]
"""Puts the company and its CRM into a feed; see middlewares/tenant.py."""


def _handler(callback: Callable[[Feed, Any], None]) -> Callable[[Any, Any], Awaitable[None]]:
    async def handle(_: Any, update: Any) -> None:
        feed = current_feed.get()
        feed.taken = True
        try:
            callback(feed, update)
        except Exception as error:
            # pywa would swallow it; the worker decides what becomes of the update.
            feed.failure = error

    return handle


def on_message(feed: Feed, message: types.Message) -> None:
    if message.type is MessageType.REACTION:
        # A heart under a message asks for nothing, and confirms nothing.
        return
    made = _message(feed, message)
    if message.type is MessageType.TEXT:
        feed.collector.add(with_command(made.model_copy(update={"text": message.text or ""})))
    elif message.type is MessageType.CONTACTS:
        feed.collector.add(_of_contact(feed, message, made))
    elif message.type is MessageType.REQUEST_WELCOME:
        # The chat was opened for the first time, and the business has asked Meta to be told of that.
        feed.collector.add(made.model_copy(update={"command": Command.START}))
    else:
        attachment = attachment_of(feed.item)
        feed.collector.add(made.model_copy(update={"text": message.caption or "", "attachments": (attachment,)}))


def on_choice(feed: Feed, choice: types.CallbackButton[str] | types.CallbackSelection[str]) -> None:
    """A tapped button or row. WhatsApp wants no acknowledgement."""
    replied = choice.reply_to_message
    made = _message(feed, choice)
    update = {
        "action": choice.data,
        "label": choice.title,
        "press_id": choice.id,
        "pressed_message_id": replied.id if replied else None,
    }
    feed.collector.add(made.model_copy(update=update))


def on_edit(feed: Feed, edit: types.EditedMessage) -> None:
    made = _message(feed, edit)
    words = edit.message.text or edit.message.caption or ""
    if words:
        feed.collector.add(made.model_copy(update={"text": words, "edits": edit.original_message_id}))


def on_deletion(feed: Feed, deletion: types.DeletedMessage) -> None:
    """What a client takes back was read already: there is nothing to answer."""


def on_own_phone(feed: Feed, message: types.OutgoingMessage) -> None:
    """The business's own person has answered the client themselves, in the WhatsApp Business app."""
    word = word_of(feed.value, message)
    if word is None:
        log.info("whatsapp_echo_left_alone", kind=str(feed.item.get("type"))[:32])
    else:
        feed.collector.staff.append(word)


def on_own_change(feed: Feed, change: types.OutgoingEditedMessage | types.OutgoingDeletedMessage) -> None:
    """What was answered is put in other words, or taken back: who answers the client has been said already."""


def on_status(feed: Feed, status: types.MessageStatus[Any]) -> None:
    event = _REPORTS.get(status.status)
    if event is None:
        return
    code = int(status.error.code) if status.error is not None else None
    if event is DeliveryEvent.FAILED and code is not None:
        event = _LOST.get(code, event)
    told = str(code) if code is not None else None
    feed.collector.report(
        DeliveryReport(message_id=status.id, event=event, at=status.timestamp.astimezone(UTC), code=told)
    )


HANDLERS: tuple[Callable[[], Handler[Any]], ...] = (
    lambda: MessageHandler(_handler(on_message)),
    lambda: CallbackButtonHandler(_handler(on_choice)),
    lambda: CallbackSelectionHandler(_handler(on_choice)),
    lambda: EditedMessageHandler(_handler(on_edit)),
    lambda: DeletedMessageHandler(_handler(on_deletion)),
    lambda: MessageStatusHandler(_handler(on_status)),
    lambda: OutgoingMessageHandler(_handler(on_own_phone)),
    lambda: OutgoingEditedMessageHandler(_handler(on_own_change)),
    lambda: OutgoingDeletedMessageHandler(_handler(on_own_change)),
)
"""Registered at each number's client."""


class WhatsAppDispatch:
    """All numbers of the installation."""

    type = ChannelType.WHATSAPP
    choices = Choices(most=ROWS)
    typing_lasts: timedelta | None = timedelta(seconds=25)

    def __init__(self, numbers: Numbers, bind: Bind, clock: Clock) -> None:
        self._numbers = numbers
        self._bind = bind
        self._clock = clock

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        raw = _read(update)
        if update.dialogue_key == ASIDE:
            # News of the account or of its templates: nobody's to answer, and worth a line for the operator.
            log.info("whatsapp_event", field=raw["entry"][0]["changes"][0].get("field"))
            return
        feed = Feed(channel=channel, collector=collector, update=raw)
        await self._bind(feed)
        token = current_feed.set(feed)
        try:
            await self._numbers.get(channel).webhook_update_handler(update.payload)
        finally:
            current_feed.reset(token)
        if feed.failure is not None:
            raise feed.failure
        if not feed.taken:
            self._answer_unread(feed)

    def _answer_unread(self, feed: Feed) -> None:
        """Make a message of what pywa made nothing of: a client always gets an answer."""
        item = feed.item
        if "status" in item:
            return
        if is_staffs(ChannelType.WHATSAPP, feed.collector.dialogue.key):
            # The business's own words are nobody's to answer, whatever they are.
            log.info("whatsapp_echo_not_read", kind=str(item.get("type"))[:32])
            return
        log.warning("whatsapp_message_not_read", kind=str(item.get("type"))[:32])
        sent_at = datetime.fromtimestamp(_seconds(item.get("timestamp")) or self._clock().timestamp(), UTC)
        other = Attachment(kind=AttachmentKind.OTHER)
        feed.collector.add(Message(id=str(item.get("id")), sent_at=sent_at, attachments=(other,), sender=_sender(feed)))

    def send_limits(self, reply: OutgoingReply) -> SendLimits | None:
        return LIMITS

    def deliver(self, channel: Channel, reply: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
        return deliver(self._numbers.get(channel), channel, reply, permit, self._clock)

    async def show_typing(self, channel: Channel, dialogue: Dialogue, message: Message) -> None:
        """Meta marks the message as read and shows "typing" until the reply, 25 s at most."""
        try:
            # The client waits for the answer, not for the sign of it.
            async with asyncio.timeout(_COURTESY_TIMEOUT_S):
                await self._numbers.get(channel).indicate_typing(message.id)
        except (WhatsAppError, httpx.HTTPError, OSError, KeyError, ValueError) as error:
            log.info("typing_not_shown", error=type(error).__name__)

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        return await fetch(self._numbers, channel, attachment.ref, most_bytes=most_bytes)

    async def close(self) -> None:
        await self._numbers.close()


def _read(update: StoredUpdate) -> dict[str, Any]:
    """Return the update as intake stored it. Raises UnreadableUpdate."""
    try:
        raw = json.loads(update.payload)
        raw["entry"][0]["changes"][0]["value"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise UnreadableUpdate(f"{type(error).__name__}: not a WhatsApp webhook") from error
    return dict(raw)


def _message(feed: Feed, update: Any) -> Message:
    referral = feed.item.get("referral") or {}
    return Message(
        id=str(feed.item.get("id")),
        sent_at=update.timestamp.astimezone(UTC),
        sender=_sender(feed),
        argument=str(referral["source_id"])[:64] if referral.get("source_id") else None,
    )


def _sender(feed: Feed) -> Sender:
    """Say who writes. WhatsApp itself vouches for the number that a message comes from."""
    contact = (feed.value.get("contacts") or [{}])[0]
    number = feed.item.get("from") or contact.get("wa_id")
    phones = find_phones(f"+{number}") if number else ()
    name = (contact.get("profile") or {}).get("name")
    return Sender(name=str(name).strip() or None if name else None, phone=phones[0] if phones else None)


def _of_contact(feed: Feed, message: types.Message, made: Message) -> Message:
    """Read a shared contact; it proves a number only where Meta says that it answers the request for the client's own.

    Meta's page "Business-scoped user IDs": the message's `origin` is "contact_request" then, and "other" for one from
    the address book, which has a vCard. Where `origin` is missing, nothing is proved. Not verified with Meta.
    """
    contacts = message.contacts
    if contacts is not None and contacts.origin is ContactsOrigin.CONTACT_REQUEST and len(contacts) == 1:
        given = [found for phone in contacts[0].phones for found in (phone.phone, phone.wa_id) if found]
        found = [number for one in given for number in find_phones("+" + one.lstrip("+"))]
        visible = made.sender.phone
        if found and visible in (None, found[0]):
            return made.model_copy(update={"proved_phone": found[0]})
    if feed.item.get("context"):
        return made.model_copy(update={"foreign_contact": True})
    return made.model_copy(update={"attachments": (Attachment(kind=AttachmentKind.CONTACT),)})


def _seconds(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() else None
