"""The WhatsApp Business app on the business's own phone, where it is used beside the Cloud API ("coexistence").

After Meta's page "smb_message_echoes webhook reference" (October 2025). What was typed there is told to an app that
asked for the field; what the Cloud API sent is not. Since there are business-scoped ids an echo has `to_user_id` and
`contacts` (as pywa's and Chatwoot's fixtures have them); `to` is left out where the person's number is hidden. Not
verified with Meta: that an edit, and what is taken back, come with ids of their own (pywa's description of its
OutgoingEditedMessage and OutgoingDeletedMessage).
"""

from __future__ import annotations

from datetime import timedelta

from sandbox.whatsapp import payloads
from sandbox.whatsapp.events import Events
from sandbox.whatsapp.state import ChatMessage, Json, Number, Person, State

FIELD = "smb_message_echoes"
_KEPT = timedelta(days=7)


class BusinessApp:
    """What the business's own people do there, as the webhooks that Meta makes of it; each returns the message's id.

    Raises LookupError for a number with which the app is not used.
    """

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events
        self.names_users = True
        """Whether an echo has business-scoped ids, as Meta sends them since April 2026."""

    async def type_text(self, number_id: str, person: Person, text: str) -> str:
        """Answer a person, or write to them first."""
        return await self.send_anything(number_id, person, {"type": "text", "text": {"body": text}}, shown=text)

    async def send_image(
        self, number_id: str, person: Person, picture: bytes, caption: str = "", *, mime_type: str = "image/jpeg"
    ) -> str:
        """Send a picture; Meta keeps it as it keeps a person's."""
        number = self._number(number_id)
        media = self._state.add_media(number, picture, mime_type, kept=_KEPT)
        file = payloads.media(media.id, picture, mime_type) | ({"caption": caption} if caption else {})
        return await self.send_anything(number_id, person, {"type": "image", "image": file}, shown=caption or "🖼")

    async def react(self, number_id: str, person: Person, message_id: str, emoji: str) -> str:
        """Put an emoji under a message."""
        reaction = {"message_id": message_id, "emoji": emoji}
        return await self.send_anything(number_id, person, {"type": "reaction", "reaction": reaction})

    async def edit_text(self, number_id: str, person: Person, message_id: str, text: str) -> str:
        """Change the words of a message of one's own."""
        message = self._state.open_chat(self._number(number_id), person).find(message_id)
        if message is None or not message.from_business:
            raise LookupError(f"there is no message {message_id} of the business in this chat")
        message.text, message.seq = text, self._state.seq()
        edit = {"original_message_id": message_id, "message": {"type": "text", "text": {"body": text}}}
        return await self.send_anything(number_id, person, {"type": "edit", "edit": edit})

    async def take_back(self, number_id: str, person: Person, message_id: str) -> str:
        """Delete a message of one's own for everybody."""
        chat = self._state.open_chat(self._number(number_id), person)
        message = chat.find(message_id)
        if message is None or not message.from_business:
            raise LookupError(f"there is no message {message_id} of the business in this chat")
        chat.messages.remove(message)
        revoke = {"type": "revoke", "revoke": {"original_message_id": message_id}}
        return await self.send_anything(number_id, person, revoke)

    async def send_anything(
        self, number_id: str, person: Person, content: Json, *, shown: str | None = None, id_: str | None = None
    ) -> str:
        """Do anything; `shown`: what stands in the chat then, `id_`: an id that Meta would not give."""
        number = self._number(number_id)
        chat = self._state.open_chat(number, person)
        made, at = id_ or self._state.new_message_id(), self._state.timestamp()
        if shown is not None:
            chat.messages.append(
                ChatMessage(
                    seq=self._state.seq(),
                    id=made,
                    from_business=True,
                    type=str(content.get("type")),
                    text=shown,
                    at=at,
                    status="delivered",
                )
            )
        if FIELD in number.app.fields:
            echo = payloads.echo(number, person, made, at, content, names_user=self.names_users)
            self._events.bring(number, echo, field=FIELD)
        await self._state.tell()
        return made

    def _number(self, number_id: str) -> Number:
        number = self._state.numbers[number_id]
        if not number.coexistence:
            raise LookupError("the WhatsApp Business app is not used with this number")
        return number
