"""What happens at Meta on its way to the webhooks: alone, in one post with others, and once more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox.whatsapp import payloads
from sandbox.whatsapp.state import App, Chat, ChatMessage, Json, Number, State
from sandbox.whatsapp.webhooks import Webhooks


class Events:
    """`auto_statuses`: a message that was taken is reported as sent and delivered by itself.

    `shuffled_statuses`: "delivered" comes before "sent", as Meta may let it.
    """

    def __init__(self, state: State, webhooks: Webhooks) -> None:
        self._state = state
        self._webhooks = webhooks
        self._batch: list[tuple[Number, Json]] | None = None
        self.auto_statuses = True
        self.shuffled_statuses = False

    def bring(self, number: Number, told: Json, *, field: str = "messages") -> None:
        """Bring this of a number, or keep it for the batch that is open."""
        body = payloads.envelope(number, told, field=field)
        if self._batch is not None:
            self._batch.append((number, body))
        else:
            self._webhooks.bring(number, body)

    def report(self, number: Number, chat: Chat, message: ChatMessage, status: str, *, code: int | None = None) -> None:
        """Tell the business what became of its message."""
        message.status = status
        message.seq = self._state.seq()
        self.bring(number, payloads.status(chat, message, status, self._state.timestamp(), code=code))

    def report_taken(self, number: Number, chat: Chat, message: ChatMessage) -> None:
        """Report what comes of itself."""
        if self.auto_statuses:
            for status in ("delivered", "sent") if self.shuffled_statuses else ("sent", "delivered"):
                self.report(number, chat, message, status)
            message.status = "delivered"

    @asynccontextmanager
    async def batch(self, *, merged: bool = False) -> AsyncIterator[None]:
        """Bring all that happens inside as one webhook to each address and app.

        Each event is an entry of its own; `merged`: an entry an account, a change a number, and in it all its items.
        """
        self._batch = []
        try:
            yield
        finally:
            batch, self._batch = self._batch, None
            together: dict[tuple[str | None, str], list[tuple[Number, Json]]] = {}
            for number, body in batch:
                key = (self._webhooks.find_address(number), number.app.id)
                together.setdefault(key, []).append((number, body))
            for events in together.values():
                bodies = [body for _, body in events]
                entries = [entry for body in bodies for entry in body["entry"]]
                one = payloads.joined(bodies) if merged else {**bodies[0], "entry": entries}
                self._webhooks.bring(events[0][0], one)

    def bring_again(self, *, last: int = 1) -> None:
        """Bring the last webhooks once more, the newest first, as Meta does when answers got lost.

        Raises LookupError where none was delivered yet.
        """
        delivered: list[tuple[str, App, bytes]] = list(self._webhooks.delivered)[-last:]
        if not delivered:
            raise LookupError("no webhook was delivered yet")
        for url, app, body in reversed(delivered):
            self._webhooks.bring_raw(url, app, body)
