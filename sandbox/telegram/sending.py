"""Methods that send, copy, change and delete messages, in private chats and in groups.

[likely]: REACTIONS_TOO_MANY and REACTION_INVALID are the words of Telegram's own servers, as bots report them.
"""

from __future__ import annotations

from typing import Any

from sandbox.telegram.access import Access, Refused, is_own, is_true
from sandbox.telegram.files import ANY_SIGN, SIGNS, TooLarge, sent_file
from sandbox.telegram.groups import Group, GroupPost
from sandbox.telegram.state import Bot, Chat, ChatMessage, Json, State
from sandbox.telegram.text import BadRequest, check_caption, check_markup, check_text

_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
_MEDIA = "photo voice video document audio animation video_note sticker location venue dice"
_COPIED = frozenset((*_MEDIA.split(), "caption", "caption_entities"))
_EMOJI = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓
🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡
"""
REACTIONS = frozenset(_EMOJI.split())

"""What ReactionTypeEmoji may be (Bot API 10.1)."""


class Sending:
    """What a bot does to messages. Methods are called by the names that follow `_on_`."""

    def __init__(self, state: State, access: Access, post: GroupPost) -> None:
        self._state = state
        self._access = access
        self._post = post

    async def _on_sendMessage(self, bot: Bot, parameters: Json) -> Json:
        chat = self._access.chat(bot, parameters)
        if "text" not in parameters:
            raise BadRequest("message text is empty")
        text = check_text(str(parameters["text"]), parameters.get("parse_mode"))
        message = self._send(bot, chat, parameters, kind="text", text=text)
        return self._state.message_json(bot, chat, message)

    async def _on_sendPhoto(self, bot: Bot, parameters: Json) -> Json:
        return self._send_file(bot, "photo", parameters)

    async def _on_sendVoice(self, bot: Bot, parameters: Json) -> Json:
        return self._send_file(bot, "voice", parameters)

    async def _on_sendVideo(self, bot: Bot, parameters: Json) -> Json:
        return self._send_file(bot, "video", parameters)

    async def _on_sendDocument(self, bot: Bot, parameters: Json) -> Json:
        return self._send_file(bot, "document", parameters)

    def _send_file(self, bot: Bot, kind: str, parameters: Json) -> Json:
        chat = self._access.chat(bot, parameters)
        caption = check_caption(str(parameters.get("caption", "")), parameters.get("parse_mode"))
        holders = list(chat.bots.values()) if isinstance(chat, Group) else [bot]
        try:
            content = sent_file(bot, holders, kind, parameters)
        except TooLarge as error:
            raise Refused(413, "Request Entity Too Large") from error
        if caption:
            content["caption"] = caption
        shown = caption or SIGNS.get(kind, ANY_SIGN)
        message = self._send(bot, chat, parameters, kind=kind, text=shown, content=content)
        return self._state.message_json(bot, chat, message)

    async def _on_copyMessage(self, bot: Bot, parameters: Json) -> Json:
        """Send what another message says, without its buttons; the caption may be another one."""
        source = self._access.chat(bot, parameters, "from_chat_id", to_read=True)
        original = self._access.message(source, parameters, "message to copy")
        if original.service:
            raise Refused(400, "Bad Request: can't copy message")
        chat = self._access.chat(bot, parameters)
        content = {name: value for name, value in original.content.items() if name in _COPIED}
        if original.contact is not None:
            content["contact"] = original.contact
        if original.wordless and "caption" in parameters:
            content.pop("caption", None)
            if caption := check_caption(str(parameters["caption"]), parameters.get("parse_mode")):
                content["caption"] = caption
        wordless = original.wordless or original.contact is not None
        text = str(content.get("caption") or original.text) if wordless else original.text
        kind = next(iter(content), "other") if wordless else "text"
        message = self._send(bot, chat, parameters, kind=kind, text=text, content=content)
        return {"message_id": message.message_id}

    async def _on_editMessageText(self, bot: Bot, parameters: Json) -> Json:
        chat = self._access.chat(bot, parameters)
        message = self._access.own_message(bot, chat, parameters)
        text = check_text(str(parameters.get("text", "")), parameters.get("parse_mode"))
        markup = check_markup(parameters.get("reply_markup"), chat.type)
        if message.wordless:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        return self._edit(bot, chat, message, text, markup)

    async def _on_editMessageCaption(self, bot: Bot, parameters: Json) -> Json:
        chat = self._access.chat(bot, parameters)
        message = self._access.own_message(bot, chat, parameters)
        caption = check_caption(str(parameters.get("caption", "")), parameters.get("parse_mode"))
        markup = check_markup(parameters.get("reply_markup"), chat.type)
        if not message.wordless:
            raise Refused(400, "Bad Request: there is no caption in the message to edit")
        content = {name: value for name, value in message.content.items() if name != "caption"}
        sign = SIGNS.get(next(iter(content), ""), ANY_SIGN)
        message.content = content | ({"caption": caption} if caption else {})
        return self._edit(bot, chat, message, caption or sign, markup)

    async def _on_editMessageReplyMarkup(self, bot: Bot, parameters: Json) -> Json:
        chat = self._access.chat(bot, parameters)
        message = self._access.own_message(bot, chat, parameters)
        return self._edit(bot, chat, message, message.text, check_markup(parameters.get("reply_markup"), chat.type))

    async def _on_deleteMessage(self, bot: Bot, parameters: Json) -> bool:
        """Delete a message; in a group, one of somebody else's only by right."""
        chat = self._access.chat(bot, parameters)
        message = self._access.message(chat, parameters, "message to delete")
        if (
            isinstance(chat, Group)
            and not is_own(bot, message)
            and not chat.standing(bot.id).may("can_delete_messages")
        ):
            raise Refused(400, "Bad Request: message can't be deleted")
        message.deleted, message.seq = True, self._state.seq()
        return True

    async def _on_sendChatAction(self, bot: Bot, parameters: Json) -> bool:
        chat = self._access.chat(bot, parameters)
        if parameters.get("action") not in _ACTIONS:
            raise BadRequest("wrong parameter action in request")
        self._access.place(bot, chat, {**parameters, "reply_parameters": None})
        chat.typing_at = float(self._state.now())
        return True

    async def _on_setMessageReaction(self, bot: Bot, parameters: Json) -> bool:
        chat = self._access.chat(bot, parameters, to_read=True)
        message = self._access.message(chat, parameters, "message to react")
        wanted = parameters.get("reaction") or []
        if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
            raise BadRequest("expected an Array of ReactionType")
        if any(one.get("type") not in ("emoji", "custom_emoji", "paid") for one in wanted):
            raise BadRequest("invalid reaction type specified")
        if len(wanted) > 1:
            raise BadRequest("REACTIONS_TOO_MANY")
        if any(one.get("emoji") not in REACTIONS for one in wanted):
            raise BadRequest("REACTION_INVALID")
        message.reactions.pop(bot.id, None)
        for one in wanted:
            message.reactions[bot.id] = str(one["emoji"])
        message.seq = self._state.seq()
        return True

    # ---- what they share

    def _send(
        self, bot: Bot, chat: Chat, parameters: Json, *, kind: str, text: str, content: Json | None = None
    ) -> ChatMessage:
        """Let the chat show a message of the bot's."""
        markup = check_markup(parameters.get("reply_markup"), chat.type)
        place = self._access.place(bot, chat, parameters)
        self._access.check_may_send(bot, chat, kind)
        self._access.take(bot, chat)
        if markup is not None and "keyboard" in markup:
            chat.reply_keyboard = markup
        elif markup is not None and "remove_keyboard" in markup:
            chat.reply_keyboard = None
        chat.typing_at = None
        fields: Json = {
            "text": text,
            "markup": markup,
            "content": {**(content or {}), **place.extra},
            "wordless": kind != "text",
            "silent": is_true(parameters.get("disable_notification")),
            "thread_id": place.thread_id,
            "in_topic": place.in_topic,
            "reply_to": place.reply_to,
        }
        if isinstance(chat, Group):
            return self._post.put(chat, bot.as_json(), **fields)
        message = ChatMessage(
            seq=self._state.seq(),
            message_id=chat.take_message_id(bot),
            from_bot=True,
            date=self._state.now(),
            **fields,
        )
        chat.messages.append(message)
        return message

    def _edit(self, bot: Bot, chat: Chat, message: ChatMessage, text: str, markup: Any) -> Json:
        if text == message.text and (markup or None) == (message.markup or None):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
                "same as a current content and reply markup of the message",
            )
        message.rewritten += text != message.text
        message.text, message.markup, message.seq = text, markup, self._state.seq()
        message.edited_at = self._state.now()
        return self._state.message_json(bot, chat, message)
