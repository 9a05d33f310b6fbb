"""Clients' cards: found by the exact phone, never renamed."""

from __future__ import annotations

from crm.base import Client, Phone
from crm.errors import CRMAuthFailed
from crm.one_c.service.client import OneCServiceClient
from crm.one_c.service.meaning import card_of
from crm.phones import to_phone


class Clients:
    def __init__(self, client: OneCServiceClient) -> None:
        self._client = client

    async def list_cards(self, phone: Phone) -> tuple[Client, ...]:
        """Return all cards with exactly this phone; people do have two.

        Raises CRMAuthFailed where cards were found that show no phone: "hidden" is not "none".
        """
        found = await self._client.list_cards(phone)
        same = tuple(card_of(one, phone) for one in found if to_phone(one.phone) == phone)
        if found and not same and not any(one.phone.strip("* ") for one in found):
            raise CRMAuthFailed("clients: the 1C user may not see clients' phones")
        return same

    async def find_card(self, phone: Phone) -> Client | None:
        return next(iter(await self.list_cards(phone)), None)

    async def create_card(self, *, name: str, phone: Phone) -> Client:
        """Create a card. The service returns one that has this phone already as it is."""
        existing = await self.find_card(phone)
        return existing or card_of(await self._client.create_card(name=name, phone=phone), phone)
