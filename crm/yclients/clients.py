"""Clients' cards: found by the exact phone, never renamed."""

from __future__ import annotations

from crm.base import Client, ClientId, Phone
from crm.errors import CRMAuthFailed, CRMRejected, CRMUnavailable
from crm.phones import to_phone
from crm.yclients.client import YclientsClient
from crm.yclients.wire import WireCard

MOST_PAGES = 5


class Clients:
    def __init__(self, client: YclientsClient) -> None:
        self._client = client

    async def list_cards(self, phone: Phone) -> tuple[Client, ...]:
        """Return all cards with exactly this phone, the oldest first; people do have two.

        Raises CRMAuthFailed where cards were found but the user token may not see their phones: "hidden" is not "none".
        """
        found = await self._search(phone)
        same = [card_of(one, phone) for one in found if to_phone(one.phone) == phone]
        hidden = any("*" in one.phone for one in found) or not any(one.phone for one in found)
        if found and not same and hidden:
            raise CRMAuthFailed("clients_search: the user token has no right to see clients' phones")
        return tuple(same)

    async def find_card(self, phone: Phone) -> Client | None:
        return next(iter(await self.list_cards(phone)), None)

    async def create_card(self, *, name: str, phone: Phone) -> Client:
        """Create a card, or return the one that has this phone already, under its own name."""
        existing = await self.find_card(phone)
        if existing is not None:
            return existing
        try:
            return card_of(await self._client.create_client(name=name, phone=phone), phone)
        except CRMRejected:
            # A duplicate's answer is not documented; somebody may have made the card in between.
            existing = await self.find_card(phone)
            if existing is None:
                raise
            return existing

    async def _search(self, phone: Phone) -> list[WireCard]:
        found: list[WireCard] = []
        for page in range(1, MOST_PAGES + 1):
            rows, total = await self._client.search_clients(phone, page=page)
            found += rows
            if not rows or total is None or len(found) >= total:
                return found
        raise CRMUnavailable("clients_search: too many cards for one phone")


def card_of(wire: WireCard, phone: Phone) -> Client:
    return Client(id=ClientId(wire.id), name=wire.name.strip(), phone=to_phone(wire.phone) or phone)
