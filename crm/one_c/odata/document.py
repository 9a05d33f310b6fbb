"""A visit's document as the mapping says it: read into one shape, and written from it."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.base import NewAppointment, Price, Slot
from crm.one_c.odata.clients import plain_values
from crm.one_c.odata.mapping import Mapping
from crm.one_c.odata.names import stored_length, stored_moment
from crm.one_c.odata.query import equal, fixed, literal, reference
from crm.one_c.odata.wall_clock import Span, span_between, span_of_length, wall_of
from crm.one_c.odata.wire import Row
from crm.prices import amount_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One document. Times are the server's wall clock; `lines` are the rows as they came, to be sent back whole."""

    key: str
    version: str
    number: str
    starts: datetime
    ends: datetime | None
    length: timedelta | None
    staff_id: str
    client_id: str
    services: tuple[tuple[str, Decimal | None], ...]
    comment: str
    external_id: str
    cancelled: bool
    done: bool
    posted: bool
    lines: tuple[AnyMapping[str, object], ...]

    @property
    def is_ours(self) -> bool:
        """Say whether the key is of the kind that we choose: the platform's own are of another version."""
        return UUID(self.key).version == 5

    def span(self, zone: ZoneInfo) -> Span:
        if self.ends is not None:
            return span_between(self.starts, self.ends, zone)
        return span_of_length(self.starts, self.length or timedelta(0), zone)

    def duration(self, zone: ZoneInfo) -> timedelta:
        if self.ends is None:
            return self.length or timedelta(0)
        starts, ends = self.starts.replace(tzinfo=zone), self.ends.replace(tzinfo=zone)
        return ends.astimezone(UTC) - starts.astimezone(UTC)


class Form:
    """Reads and writes the document of one mapping, in one zone."""

    def __init__(self, mapping: Mapping, zone: ZoneInfo) -> None:
        self._map = mapping.appointments
        self._kinds = {"client": mapping.clients.object, "staff": mapping.staff.object}
        self._kinds["service"] = mapping.services.object
        self._zone = zone

    @property
    def select(self) -> tuple[str, ...]:
        """Name everything that is read."""
        named = self._map
        fields: list[str | None] = ["Ref_Key", "DataVersion", "Number", "DeletionMark", "Posted", *named.start.fields]
        fields += named.end.fields if named.end else [named.duration.field if named.duration else None]
        fields += [named.staff, named.client, named.services.part, named.comment, named.external_id]
        fields.append(named.status.field if named.status else None)
        return tuple(field for field in fields if field)

    def read(self, row: Row) -> Booked:
        named, lines = self._map, row.rows(self._map.services.part)
        status = row.optional_text(named.status.field) if named.status else ""
        rows = named.services
        in_rows = next((line.key(rows.staff) for line in lines), "") if rows.staff else ""
        marked = row.flag("DeletionMark")
        return Booked(
            key=row.own_key(),
            version=row.text("DataVersion"),
            number=row.text("Number"),
            starts=row.moment(named.start),
            ends=row.moment(named.end) if named.end else None,
            length=row.length(named.duration),
            staff_id=row.key(named.staff) if named.staff else in_rows,
            client_id=row.key(named.client),
            services=tuple((line.key(rows.service), line.number(rows.price) if rows.price else None) for line in lines),
            comment=row.optional_text(named.comment),
            external_id=row.optional_text(named.external_id),
            cancelled=marked or (named.status is not None and status in named.status.cancelled),
            done=named.status is not None and status in named.status.done,
            posted=row.flag("Posted"),
            lines=tuple(line.values for line in lines),
        )

    def between(self, first: datetime, last: datetime) -> list[str]:
        """Select what may touch a time: the days around it, as day and time may stand apart."""
        field = self._map.start.field
        low = (first - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        high = (last + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return [*self.standing(), f"{field} ge {literal(low)}", f"{field} lt {literal(high)}"]

    def of_client(self, client_id: str, first: datetime) -> list[str]:
        mine = reference(self._map.client, client_id, self._kinds["client"])
        return [*self.standing(), mine, f"{self._map.start.field} ge {literal(first)}"]

    def standing(self) -> list[str]:
        return [equal("DeletionMark", False), *self.kind()]

    def kind(self) -> list[str]:
        """Select visits among documents of other kinds."""
        return fixed(self._map.where)

    def new(
        self, new: NewAppointment, *, client_id: str, prices: Sequence[Price | None], now: datetime
    ) -> dict[str, object]:
        """Return a whole new document. Its own date is now: the visit's time has other fields, unless start is Date."""
        named = self._map
        body: dict[str, object] = {
            "Date": wall_of(now, self._zone).isoformat(timespec="seconds"),
            **plain_values(named.where),
            **plain_values(named.set),
            **self._times(new.slot),
            **self._reference(self._map.client, client_id, "client"),
            named.services.part: [
                self._line(number, service_id, new.slot.staff.id, price)
                for number, (service_id, price) in enumerate(zip(new.slot.service_ids, prices, strict=True), 1)
            ],
        }
        if named.staff:
            body |= self._reference(named.staff, new.slot.staff.id, "staff")
        if named.comment:
            body[named.comment] = new.comment
        if named.external_id:
            body[named.external_id] = new.external_id
        if named.status and named.status.new:
            body[named.status.field] = named.status.new
        return body

    def moved(self, booked: Booked, slot: Slot) -> dict[str, object]:
        """Return what changes when a visit moves. Rows go back whole, and only where the master stands in them."""
        body: dict[str, object] = dict(self._times(slot))
        if self._map.staff:
            body |= self._reference(self._map.staff, slot.staff.id, "staff")
        in_rows = self._map.services.staff
        if in_rows and slot.staff.id != booked.staff_id:
            body[self._map.services.part] = [{**line, in_rows: slot.staff.id} for line in booked.lines]
        return body

    def back(self, booked: Booked) -> dict[str, object]:
        """Return what puts a visit back where it stood."""
        named, body = self._map, dict[str, object]()
        body |= stored_moment(named.start, booked.starts)
        if named.end and booked.ends is not None:
            body |= stored_moment(named.end, booked.ends)
        if named.duration:
            body[named.duration.field] = stored_length(booked.length or timedelta(0), named.duration.format)
        if named.staff:
            body |= self._reference(named.staff, booked.staff_id, "staff")
        if named.services.staff:
            body[named.services.part] = [dict(line) for line in booked.lines]
        return body

    def cancelled(self) -> dict[str, object]:
        named = self._map
        if named.cancel == "status" and named.status is not None:
            return {named.status.field: named.status.cancelled[0]}
        return {"DeletionMark": True}

    def withdrawn(self) -> dict[str, object]:
        """Return what takes back a document that no client was told of."""
        status = self._map.status
        marked: dict[str, object] = {"DeletionMark": True}
        return {**marked, status.field: status.cancelled[0]} if status and status.cancelled else marked

    def _times(self, slot: Slot) -> dict[str, object]:
        named, body = self._map, dict[str, object]()
        body |= stored_moment(named.start, wall_of(slot.starts_at, self._zone))
        if named.end:
            ends = slot.starts_at.astimezone(UTC) + slot.duration
            body |= stored_moment(named.end, wall_of(ends, self._zone))
        if named.duration:
            body[named.duration.field] = stored_length(slot.duration, named.duration.format)
        return body

    def _reference(self, field: str, key: str, kind: str) -> dict[str, object]:
        """Return a reference; a composite one tells its kind beside it (17.4.3)."""
        if field.endswith("_Key"):
            return {field: key}
        return {field: key, f"{field}_Type": f"StandardODATA.{self._kinds[kind]}"}

    def _line(self, number: int, service_id: str, staff_id: str, price: Price | None) -> dict[str, object]:
        named = self._map.services
        line: dict[str, object] = {"LineNumber": str(number), **plain_values(named.set)}
        line |= self._reference(named.service, service_id, "service")
        if named.staff:
            line |= self._reference(named.staff, staff_id, "staff")
        if named.quantity:
            line[named.quantity] = 1
        if price is not None:
            line |= {field: amount_of(price.low) for field in (named.price, named.sum) if field}
        return line
