"""Documents as appointments: one, by our id, a client's, those changed since a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.base import Appointment, AppointmentService, Client, Phone, RecordId, ServiceId, Staff, StaffId
from crm.errors import CRMNotFound, CRMUnsupported
from crm.one_c.odata.catalogue import Catalogue, names_of
from crm.one_c.odata.client import AT_ONCE, ODataClient
from crm.one_c.odata.clients import Clients
from crm.one_c.odata.document import Booked, Form
from crm.one_c.odata.mapping import Mapping as BaseMapping
from crm.one_c.odata.own_keys import OwnKeys
from crm.one_c.odata.query import equal, is_key, literal
from crm.one_c.odata.wall_clock import not_after
from crm.prices import price_of
from crm.together import all_of


class Records:
    def __init__(
        self,
        client: ODataClient,
        mapping: BaseMapping,
        form: Form,
        catalogue: Catalogue,
        clients: Clients,
        own_keys: OwnKeys,
        zone: ZoneInfo,
    ) -> None:
        self._client = client
        self._map = mapping
        self._form = form
        self._catalogue = catalogue
        self._clients = clients
        self._own_keys = own_keys
        self._zone = zone

    async def get(self, record_id: str) -> Booked:
        """Return a document. Raises CRMNotFound, for another CRM's id too, which never becomes an address."""
        if not is_key(record_id):
            raise CRMNotFound(f"no document {record_id!r}")
        return await self._client.get_one("appointment", self._map.appointments.object, record_id, self._form.read)

    async def find(self, external_id: str) -> Booked | None:
        """Return the document with our id, a cancelled one too. Raises CRMUnsupported where no id can be found."""
        field = self._map.appointments.external_id
        if not external_id:
            return None
        if await self._own_keys.known() == "honoured":
            try:
                return await self.get(self._own_keys.key_of(external_id))
            except CRMNotFound:
                return None
        if field is None:
            raise CRMUnsupported("the base keeps no id of ours: map appointments.external_id or state own_keys")
        found = await self._client.list_rows(
            "appointment_by_id",
            self._map.appointments.object,
            self._form.read,
            select=self._form.select,
            where=[equal(field, external_id)],
        )
        same = sorted((one for one in found if one.external_id == external_id), key=lambda one: one.cancelled)
        return same[0] if same else None

    async def list_of_phone(self, phone: Phone, first: date) -> tuple[Appointment, ...]:
        """Return what stands for all cards with this phone: not cancelled and not done."""
        found: dict[str, tuple[Booked, Client]] = {}
        for card in await self._clients.list_cards(phone):
            rows = await self._list(self._form.of_client(card.id, datetime.combine(first, time(0))))
            found |= {one.key: (one, card) for one in rows if not one.cancelled and not one.done}
        names = await self._names([one for one, _ in found.values()])
        standing = sorted(found.values(), key=lambda pair: pair[0].starts)
        return tuple(self.appointment(one, names, card) for one, card in standing)

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        """Return what was written since a moment by the field that the mapping names, cancelled ones included."""
        field = self._map.appointments.changed
        if field is None:
            raise CRMUnsupported("the mapping names no date of change")
        found = await self._list([f"{field} ge {literal(not_after(since, self._zone))}", *self._form.kind()])
        return await self._read_all(found)

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        """Return what stands and starts on a day, done or not."""
        begins = datetime.combine(day, time(0))
        found = await self._list(self._form.between(begins, begins + timedelta(days=1)))
        return await self._read_all([one for one in found if not one.cancelled and one.starts.date() == day])

    async def _read_all(self, found: Sequence[Booked]) -> tuple[Appointment, ...]:
        """Return documents as appointments by time, their names and clients asked for."""
        cards = await self._cards([one.client_id for one in found])
        names = await self._names(found)
        ordered = sorted(found, key=lambda one: one.starts)
        return tuple(self.appointment(one, names, cards.get(one.client_id)) for one in ordered)

    async def read_out(self, booked: Booked) -> Appointment:
        """Return a document as an appointment, its names and its client asked for."""
        names = await self._names([booked])
        return self.appointment(booked, names, await self._clients.get_card(booked.client_id))

    def appointment(self, booked: Booked, names: Mapping[str, str], client: Client | None) -> Appointment:
        currency = self._map.currency
        return Appointment(
            id=RecordId(booked.key),
            starts_at=booked.starts.replace(tzinfo=self._zone),
            duration=booked.duration(self._zone),
            staff=Staff(id=StaffId(booked.staff_id), name=names.get(booked.staff_id, "")),
            services=tuple(
                AppointmentService(id=ServiceId(key), title=names.get(key, ""), price=price_of(price, price, currency))
                for key, price in booked.services
            ),
            client_name=client.name if client else "",
            phone=client.phone if client else None,
            comment=booked.comment,
            external_id=booked.external_id or None,
            cancelled=booked.cancelled,
        )

    async def _list(self, where: Sequence[str]) -> list[Booked]:
        return await self._client.list_rows(
            "appointments", self._map.appointments.object, self._form.read, select=self._form.select, where=where
        )

    async def _names(self, found: Sequence[Booked]) -> Mapping[str, str]:
        services = [key for one in found for key, _ in one.services]
        return await names_of(self._catalogue, services, [one.staff_id for one in found])

    async def _cards(self, keys: Sequence[str]) -> dict[str, Client | None]:
        wanted = list(dict.fromkeys(keys))
        cards = await all_of([lambda key=key: self._clients.get_card(key) for key in wanted], at_once=AT_ONCE)  # type: ignore[misc]
        return dict(zip(wanted, cards, strict=True))
