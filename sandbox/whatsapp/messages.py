"""A message on its way from a business to a person: checked, shown in the chat, and told of by statuses.

Not verified with Meta: that a number without WhatsApp is taken and then reported as failed (131026), and that nothing
is charged for utility templates inside the window.
"""

from __future__ import annotations

from sandbox.whatsapp.errors import Refused
from sandbox.whatsapp.events import Events
from sandbox.whatsapp.rates import Rates
from sandbox.whatsapp.rules import check_message
from sandbox.whatsapp.state import WINDOW, Chat, ChatMessage, Json, Number, Person, State
from sandbox.whatsapp.templates import choices, filled


class Sending:
    """`POST /{phone-number-id}/messages`. `failed` counts what was taken and reported as failed, by code."""

    def __init__(self, state: State, events: Events, rates: Rates, *, strict_window: bool) -> None:
        self._state = state
        self._events = events
        self._rates = rates
        self._strict = strict_window
        self.failed: dict[int, int] = {}

    def take(self, number: Number, body: Json) -> Json:
        """Take a message, or a "read" sign. Raises Refused."""
        if body.get("status") == "read":
            return self._read(number, body)
        check_message(body, number)
        to = "".join(one for one in str(body.get("to") or "") if one.isdigit()) or None
        recipient = str(body["recipient"]) if body.get("recipient") else None
        person = self._state.find_person(to=to, recipient=recipient)
        is_there = person is not None
        if person is None and to is None:
            raise Refused(131009, "recipient: not an id that this business was given", broken=True)
        # Whoever has no WhatsApp gets a chat that nobody looks at: the business is told by a status.
        person = person or Person(name="", wa_id=to, user_id="")
        self._rates.take(number, person)
        chat = self._state.open_chat(number, person) if is_there else Chat(person=person)
        is_open = chat.wrote_at is not None and self._state.now() - chat.wrote_at <= WINDOW
        is_late = not is_open and body.get("type") != "template"
        if is_late and self._strict:
            raise Refused(131047, "More than 24 hours have passed since the customer last replied to this number")
        message = _shown(self._state, number, body, is_free=is_open)
        chat.typing = False
        if is_late or not is_there or chat.blocked:
            code = 131047 if is_late and is_there else 131026
            self.failed[code] = self.failed.get(code, 0) + 1
            self._events.report(number, chat, message, "failed", code=code)
        else:
            self._deliver(number, chat, message, body)
        named = {"wa_id": person.wa_id, "user_id": person.user_id}
        contact = {"input": to or recipient, **{name: value for name, value in named.items() if value}}
        told = {"id": message.id, **({"message_status": "accepted"} if message.type == "template" else {})}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [told]}

    def _deliver(self, number: Number, chat: Chat, message: ChatMessage, body: Json) -> None:
        if message.type != "reaction":
            chat.messages.append(message)
        else:
            under = chat.find(str(body["reaction"]["message_id"]))
            if under is not None:
                emoji, under.seq = body["reaction"]["emoji"], message.seq
                under.reactions.pop("business", None)
                if emoji:
                    under.reactions["business"] = emoji
        self._events.report_taken(number, chat, message)

    def _read(self, number: Number, body: Json) -> Json:
        """Mark a message, and all before it, as read; with `typing_indicator`, show "typing" too."""
        if body.get("messaging_product") != "whatsapp":
            raise Refused(131008, "Required parameter is missing: messaging_product", broken=True)
        message_id = str(body.get("message_id"))
        chat = _chat_of(number, message_id)
        if chat is None:
            raise Refused(100, "message_id is not of a received message", broken=True)
        if "typing_indicator" in body and body["typing_indicator"] != {"type": "text"}:
            raise Refused(100, "typing_indicator.type must be text", broken=True)
        chat.read_up_to, chat.typing = message_id, "typing_indicator" in body
        for message in chat.messages:
            if not message.from_business:
                message.status = "read"
            if message.id == message_id:
                break
        return {"success": True}


def _chat_of(number: Number, message_id: str) -> Chat | None:
    for chat in number.chats.values():
        message = chat.find(message_id)
        if message is not None and not message.from_business:
            return chat
    return None


def _shown(state: State, number: Number, body: Json, *, is_free: bool) -> ChatMessage:
    """Return the message as the person sees it."""
    type_ = str(body.get("type", "text"))
    content = body.get(type_) or {}
    action = content.get("action") or {} if isinstance(content, dict) else {}
    tapped: list[Json] = []
    category, is_charged = "service", False
    match type_:
        case "text":
            text = content["body"]
        case "interactive":
            text = content["body"]["text"]
            tapped = [one["reply"] for one in action.get("buttons") or []]
            tapped += [row for section in action.get("sections") or [] for row in section["rows"]]
        case "template":
            template = number.account.templates[content["name"], content["language"]["code"]]
            text, tapped = filled(template, content), choices(template, content)
            category = template.category.lower()
            is_charged = not (is_free and category == "utility")
        case "contacts" | "reaction":
            text = f"[{type_}]"
        case _:
            text = content.get("caption") or f"[{type_}]"
    return ChatMessage(
        seq=state.seq(),
        id=state.new_message_id(),
        from_business=True,
        type=type_,
        text=text,
        at=state.timestamp(),
        choices=tapped,
        list_button=action.get("button") if isinstance(action.get("button"), str) else None,
        asks_contact=action.get("name") == "request_contact_info",
        asks_location=action.get("name") == "send_location",
        reply_to=(body.get("context") or {}).get("message_id"),
        tracker=body.get("biz_opaque_callback_data"),
        origin={"category": category, "free": not is_charged},
    )
