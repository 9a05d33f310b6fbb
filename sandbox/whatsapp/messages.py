"""A message on its way from a business to a person: checked, shown in the chat, and told of by statuses."""

from __future__ import annotations

from sandbox.whatsapp.errors import Refused
from sandbox.whatsapp.people import People
from sandbox.whatsapp.rates import Rates
from sandbox.whatsapp.rules import check_message
from sandbox.whatsapp.state import WINDOW, Chat, ChatMessage, Json, Number, State


class Sending:
    """`POST /{phone-number-id}/messages`."""

    def __init__(self, state: State, people: People, rates: Rates, *, strict_window: bool) -> None:
        self._state = state
        self._people = people
        self._rates = rates
        self._strict = strict_window

    def take(self, number: Number, body: Json) -> Json:
        """Take a message, or a "read" sign. Raises Refused."""
        if body.get("status") == "read":
            return self._read(number, body)
        check_message(body, number)
        to = str(body["to"]).lstrip("+") if body.get("to") else None
        chat = number.find_chat(to=to, recipient=body.get("recipient"))
        if chat is None:
            raise Refused(131026, "Message undeliverable")
        self._rates.take(number, chat)
        closed = chat.wrote_at is None or self._state.now() - chat.wrote_at > WINDOW
        late = closed and body.get("type") != "template"
        if late and self._strict:
            raise Refused(131047, "More than 24 hours have passed since the customer last replied to this number")
        message = _shown(self._state, number, body)
        chat.typing = False
        if late:
            self._people.report(number, chat, message, "failed", code=131047)
        elif chat.blocked:
            self._people.report(number, chat, message, "failed", code=131026)
        else:
            chat.messages.append(message)
            for status in ("sent", "delivered"):
                self._people.report(number, chat, message, status)
        contact = {"input": to or body.get("recipient"), "user_id": chat.person.user_id}
        if chat.person.wa_id:
            contact["wa_id"] = chat.person.wa_id
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message.id}]}

    def _read(self, number: Number, body: Json) -> Json:
        chat = self._chat_of(number, str(body.get("message_id")))
        if chat is None:
            raise Refused(100, "message_id is not of a received message", broken=True)
        if "typing_indicator" in body and body["typing_indicator"] != {"type": "text"}:
            raise Refused(100, "typing_indicator.type must be text", broken=True)
        chat.read_up_to, chat.typing = body["message_id"], "typing_indicator" in body
        return {"success": True}

    @staticmethod
    def _chat_of(number: Number, message_id: str) -> Chat | None:
        return next(
            (
                chat
                for chat in number.chats.values()
                if any(one.id == message_id and not one.from_business for one in chat.messages)
            ),
            None,
        )


def _shown(state: State, number: Number, body: Json) -> ChatMessage:
    """Return the message as the person sees it."""
    type_ = str(body.get("type", "text"))
    content = body.get(type_) or {}
    choices: list[Json] = []
    action = content.get("action") or {}
    match type_:
        case "text":
            text = content["body"]
        case "interactive":
            text = content["body"]["text"]
            choices = [one["reply"] for one in action.get("buttons") or []]
            choices += [row for section in action.get("sections") or [] for row in section["rows"]]
        case "template":
            text = _filled(number, content)
        case _:
            text = content.get("caption") or f"[{type_}]"
    return ChatMessage(
        seq=state.seq(),
        id=state.new_message_id(),
        from_business=True,
        type=type_,
        text=text,
        at=int(state.now().timestamp()),
        choices=choices,
        list_button=action.get("button") if isinstance(action.get("button"), str) else None,
        asks_contact=action.get("name") == "request_contact_info",
    )


def _filled(number: Number, content: Json) -> str:
    template = number.templates[content["name"], content["language"]["code"]]
    text = template.body
    for component in content.get("components") or []:
        for index, parameter in enumerate(component.get("parameters") or [], start=1):
            text = text.replace(f"{{{{{index}}}}}", parameter["text"])
    return text
