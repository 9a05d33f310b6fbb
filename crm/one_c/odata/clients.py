"""Clients' cards: found by the digits of the phone, however it is written; never renamed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from crm.base import Client, ClientId, Phone
from crm.errors import CRMNotFound
from crm.one_c.odata.client import ODataClient
from crm.one_c.odata.mapping import Mapping as BaseMapping
from crm.one_c.odata.mapping import PhoneRows
from crm.one_c.odata.query import fixed, is_key, quoted
from crm.one_c.odata.refusals import KeyTaken
from crm.one_c.odata.wire import Row
from crm.phones import digits_of, to_phone

OURS = UUID("5d1c8f0e-3c0a-5b7e-9d55-6a1f4c0b2e71")
"""The namespace of the keys that we choose ourselves: version 5 of RFC 9562, which no 1C gives out of its own."""
NATIONAL = 10
"""Digits after the country's code that a search goes by: people write +7, 8, or no code at all."""


class Clients:
    def __init__(self, client: ODataClient, mapping: BaseMapping) -> None:
        self._client = client
        self._map = mapping.clients
        self._allowed_only = mapping.allowed_only

    async def list_cards(self, phone: Phone) -> tuple[Client, ...]:
        """Return all cards with exactly this phone, in the base's own order; people do have two."""
        named = self._map
        where = ["DeletionMark eq false", *(["IsFolder eq false"] if named.folders else []), *fixed(named.where)]
        found = await self._client.list_rows(
            "clients_search",
            named.object,
            self._read,
            select=("Ref_Key", named.name, self._phone_field),
            where=[*where, self._condition(digits_of(phone)[-NATIONAL:])],
            allowed_only=self._allowed_only,
            private=(phone, digits_of(phone)),
        )
        return tuple(
            Client(id=ClientId(key), name=name, phone=phone)
            for key, name, written in found
            if any(is_same(text, phone) for text in written)
        )

    async def find_card(self, phone: Phone) -> Client | None:
        return next(iter(await self.list_cards(phone)), None)

    async def get_card(self, key: str) -> Client | None:
        """Return a card by its key; None for an empty reference or one that is gone."""
        if not is_key(key):
            return None
        try:
            _, name, written = await self._client.get_one("client", self._map.object, key, self._read)
        except CRMNotFound:
            return None
        phone = next((one for one in map(to_phone, written) if one), None)
        return Client(id=ClientId(key), name=name, phone=phone)

    async def create_card(self, *, name: str, phone: Phone) -> Client:
        """Create a card, or return the one that has this phone already, under its own name.

        The key is made of the phone, so that a repeat whose first answer was lost meets the card that it made.
        """
        existing = await self.find_card(phone)
        if existing is not None:
            return existing
        key, body = str(uuid5(OURS, f"client:{phone}")), self._body(name, phone)
        private = (phone, digits_of(phone), name)
        try:
            made = await self._client.create(
                "create_client", self._map.object, {"Ref_Key": key, **body}, private=private
            )
        except KeyTaken:
            # That card was marked for deletion, or given another phone: this client needs one of their own.
            made = await self._client.create("create_client", self._map.object, body, private=private)
        return Client(id=ClientId(made), name=name, phone=phone)

    @property
    def _phone_field(self) -> str:
        return self._map.phone.part if isinstance(self._map.phone, PhoneRows) else self._map.phone

    def _read(self, row: Row) -> tuple[str, str, tuple[str, ...]]:
        key, name, phone = row.own_key(), row.text(self._map.name), self._map.phone
        if isinstance(phone, str):
            return key, name, (row.optional_text(phone),)
        texts = [
            one.optional_text(field) for one in row.rows(phone.part) for field in (phone.shown, phone.digits) if field
        ]
        return key, name, tuple(text for text in texts if text)

    def _condition(self, digits: str) -> str:
        """Select whoever may have the phone: its digits in order, whatever stands between (`like`, 17.4.5.2)."""
        apart = quoted(f"%{'%'.join(digits)}%")
        phone = self._map.phone
        if isinstance(phone, str):
            return f"like({phone},{apart})"
        tests = [f"like(d/{phone.shown},{apart})"]
        if phone.digits:
            tests.insert(0, f"substringof({quoted(digits)},d/{phone.digits})")
        return f"{phone.part}/any(d: {' or '.join(tests)})"

    def _body(self, name: str, phone: Phone) -> dict[str, object]:
        named, where = self._map, self._map.phone
        body: dict[str, object] = {named.name: name, **plain_values(named.where), **plain_values(named.set)}
        if isinstance(where, str):
            return {**body, where: phone}
        row = {"LineNumber": "1", **plain_values(where.where), **plain_values(where.set), where.shown: phone}
        if where.digits:
            row[where.digits] = digits_of(phone)
        return {**body, where.part: [row]}


def is_same(text: str, phone: Phone) -> bool:
    """Say whether a text is this phone: with its country's code, Russia's 8, or a Russian number without either."""
    if to_phone(text) == phone:
        return True
    digits = digits_of(text)
    return phone.startswith("+7") and "+" not in text and digits == phone[2:]


def plain_values(values: Mapping[str, object]) -> dict[str, object]:
    """Return fixed values as a body carries them."""
    return {
        field: value if isinstance(value, bool | str | int) else float(str(value)) for field, value in values.items()
    }
