"""Clients are contacts of the CRM, found by the exact phone, never renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm.base import Client, ClientId, Phone
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.wire import WireContact, WireContacts, WireFound, WireOneItem
from crm.errors import CRMAuthFailed
from crm.phones import digits_of, to_phone

CONTACT = 3
PAGE = 50
"""A listing answers no more at once ("crm.item.list": 50 elements a page)."""


class Contacts:
    def __init__(self, client: Bitrix24Client) -> None:
        self._client = client

    async def list_cards(self, phone: Phone) -> tuple[Client, ...]:
        """Return all contacts with exactly this phone, the oldest first; people do have two."""
        found = await self._read(await self._ids(phone))
        if found and not any(one.phones for one in found):
            raise CRMAuthFailed("contacts: the webhook's employee may not see their phones")
        same = [one for one in found if phone in map(to_phone, one.phones)]
        return tuple(client_of(one, phone) for one in sorted(same, key=lambda one: int(one.id)))

    async def find_card(self, phone: Phone) -> Client | None:
        return next(iter(await self.list_cards(phone)), None)

    async def create_card(self, *, name: str, phone: Phone) -> Client:
        """Create a contact, or return the one that has this phone already, under its own name."""
        existing = await self.find_card(phone)
        if existing is not None:
            return existing
        fields = {
            "name": name,
            "opened": "Y",
            "typeId": "CLIENT",
            "sourceId": "OTHER",
            "originatorId": "ai-admin",
            "fm": [{"typeId": "PHONE", "valueType": "MOBILE", "value": phone}],
        }
        body = {"entityTypeId": CONTACT, "fields": fields}
        made = await self._client.ask(
            "crm.item.add", body, WireOneItem, safe=False, private=(phone, digits_of(phone), name)
        )
        return Client(id=ClientId(made.item.id), name=name, phone=phone)

    async def read(self, contact_id: str) -> WireContact | None:
        """Return a contact by its number; None where it is gone."""
        return next(iter(await self._read([contact_id])), None)

    async def read_many(self, ids: Sequence[str]) -> Mapping[str, WireContact]:
        """Return contacts by their numbers, asked for in pages; those that are gone are left out."""
        wanted = list(dict.fromkeys(ids))
        pages = [wanted[first : first + PAGE] for first in range(0, len(wanted), PAGE)]
        return {one.id: one for page in pages for one in await self._read(page)}

    async def _ids(self, phone: Phone) -> Sequence[str]:
        """Ask for the number in the ways that people type it: the portal compares loosely, and only some of them."""
        digits = digits_of(phone)
        values = [phone, digits]
        if len(digits) == 11 and digits.startswith("7"):
            values.append(f"8{digits[1:]}")
        body = {"type": "PHONE", "values": values, "entity_type": "CONTACT"}
        found = await self._client.ask(
            "crm.duplicate.findbycomm", body, WireFound, private=tuple(values), empty_is_map=True
        )
        return found.contacts

    async def _read(self, ids: Sequence[str]) -> tuple[WireContact, ...]:
        if not ids:
            return ()
        body = {"entityTypeId": CONTACT, "filter": {"@id": [int(one) for one in ids]}, "select": ["*"]}
        return (await self._client.ask("crm.item.list", body, WireContacts)).items


def client_of(wire: WireContact, phone: Phone) -> Client:
    return Client(id=ClientId(wire.id), name=wire.title, phone=phone)


def phone_of(wire: WireContact) -> Phone | None:
    """Return the first phone of a contact that is one."""
    return next((found for one in wire.phones if (found := to_phone(one)) is not None), None)
