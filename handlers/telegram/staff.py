"""Telegram's staff side: what people write and press in a company's staff chat, into StaffWords.

A group is staff's, whatever it holds; in private only what nobody but staff could mean: a command of theirs, the link
with a one-time code, and replies in a chat that is a branch's staff chat (Bot API: Message.message_thread_id,
is_topic_message, reply_to_message; deep linking).
"""

from __future__ import annotations

from aiogram import F, Router
from aiogram.filters import Command as CommandFilter
from aiogram.filters import CommandObject
from aiogram.types import CallbackQuery, Message

from db.records import Channel
from handlers.base import TurnCollector
from handlers.telegram.business import BusinessConnections
from handlers.telegram.media import attachment_of
from orchestration.scope import CompanyScope
from orchestration.staff_words import STAFF, StaffCommand, StaffWord

INVITED = "staff-"
"""What a one-time code follows in a link's parameter."""
_GROUPS = frozenset({"group", "supergroup"})
_COMMANDS = [command.value for command in StaffCommand]


def build_staff_router(connections: BusinessConnections) -> Router:
    """Make a router of its own for each dispatcher; it comes before the clients'."""
    router = Router(name="staff")
    group, private = F.chat.type.in_(_GROUPS), F.chat.type == "private"
    # aiogram's own look at a mention asks Telegram who the bot is.
    commands = CommandFilter(*_COMMANDS, ignore_mention=True)
    router.message(group, is_for_another_bot)(on_nothing)
    router.message(group, commands)(on_staff_command)
    router.message(private, commands)(on_staff_command)
    router.message(private, CommandFilter("start", magic=F.args.startswith(INVITED), ignore_mention=True))(on_invited)
    router.message(group)(on_staff_message)
    router.message(private, F.reply_to_message, is_staff_chat)(on_staff_message)
    router.edited_message(group)(on_staff_edit)
    router.edited_message(private, F.reply_to_message, is_staff_chat)(on_staff_edit)
    router.business_message(connections.is_owners)(on_owner)
    router.callback_query(F.message.chat.type.in_(_GROUPS))(on_staff_press)
    router.callback_query(F.data.startswith(f"{STAFF}:"))(on_staff_press)
    return router


def is_for_another_bot(message: Message, channel: Channel) -> bool:
    """Say whether a command in a group names another bot than this one."""
    first = (message.text or "").partition(" ")[0]
    named = first.partition("@")[2] if first.startswith("/") else ""
    return bool(named) and f"@{named}".casefold() != channel.name.casefold()


async def on_nothing(message: Message) -> None:
    """What is somebody else's to answer is no word of staff's."""


def is_staff_chat(message: Message, scope: CompanyScope) -> bool:
    """Say whether a private chat is the one in which a branch's staff are rung."""
    return any(branch.staff_chat == str(message.chat.id) for branch in scope.branches)


async def on_staff_command(message: Message, command: CommandObject, collector: TurnCollector) -> None:
    name, argument = StaffCommand(command.command.lower()), (command.args or "").strip()
    collector.staff.append(_word(message).model_copy(update={"command": name, "argument": argument}))


async def on_invited(message: Message, command: CommandObject, collector: TurnCollector) -> None:
    code = (command.args or "").removeprefix(INVITED)
    collector.staff.append(_word(message).model_copy(update={"command": StaffCommand.ENROL, "argument": code}))


async def on_staff_message(message: Message, collector: TurnCollector) -> None:
    """Words and files; the chat's own notes (a pinned message, a new topic) are nothing that anybody said."""
    attachment = attachment_of(message)
    text = message.text or message.caption or ""
    if text or attachment is not None:
        collector.staff.append(_word(message).model_copy(update={"text": text, "attachment": attachment}))


async def on_owner(message: Message, collector: TurnCollector) -> None:
    """The business's own person has answered the client themselves, on their own phone."""
    attachment = attachment_of(message)
    update = {"text": message.text or message.caption or "", "attachment": attachment, "from_owner": True}
    collector.staff.append(_word(message).model_copy(update=update))


async def on_staff_edit(message: Message, collector: TurnCollector) -> None:
    made = _word(message)
    update = {
        "message_id": f"edit:{made.message_id}:{message.edit_date}",
        "edits": made.message_id,
        "text": message.text or message.caption or "",
    }
    collector.staff.append(made.model_copy(update=update))


async def on_staff_press(query: CallbackQuery, collector: TurnCollector) -> None:
    pressed = query.message
    collector.staff.append(
        StaffWord(
            message_id=f"press:{query.id}",
            sent_at=collector.now,
            author=query.from_user.id,
            author_name=query.from_user.full_name.strip(),
            private=pressed is not None and pressed.chat.type == "private",
            topic=pressed.message_thread_id if isinstance(pressed, Message) and pressed.is_topic_message else None,
            reply_to=str(pressed.message_id) if pressed is not None else None,
            action=query.data,
            press_id=query.id,
        )
    )


def _word(message: Message) -> StaffWord:
    sender, replied = message.from_user, message.reply_to_message
    topic = message.message_thread_id if message.is_topic_message else None
    return StaffWord(
        message_id=str(message.message_id),
        sent_at=message.date,
        author=sender.id if sender is not None and message.sender_chat is None else 0,
        author_name=sender.full_name.strip() if sender is not None else "",
        private=message.chat.type == "private",
        topic=topic,
        # In a topic every message replies to the note that opened it, unless it replies to another.
        reply_to=str(replied.message_id) if replied is not None and replied.message_id != topic else None,
    )
