"""One salon's staff in YCLIENTS: what they see in the journal and do there by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sandbox.business import Business
from sandbox.faults import Fault
from sandbox.staff_side import Connection, Json, Visit
from sandbox.yclients.salon import Salon, salon_of
from sandbox.yclients.server import YclientsSandbox

_CALLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "catalogue": ("GET", "/book_services/"),
        "times": ("GET", "/book_times/"),
        "clients": ("POST", "/clients/search"),
        "read": ("GET", "/record/"),
        "list": ("GET", "/records/"),
        "day": ("GET", "/records/"),
        "create": ("POST", "/records/"),
        "move": ("PUT", "/record/"),
        "cancel": ("DELETE", "/record/"),
    }
)


class YclientsSalon:
    """A server with one salon in it (see CRMSandbox). `flavour`: yclients or altegio."""

    def __init__(
        self,
        business: Business,
        *,
        clock: Callable[[], datetime] | None = None,
        flavour: str = "yclients",
        salon: Salon | None = None,
        per_second: int = 5,
        per_minute: int = 200,
        server: YclientsSandbox | None = None,
    ) -> None:
        self.business = business
        self.flavour = flavour
        self.server = server or YclientsSandbox(clock=clock, per_second=per_second, per_minute=per_minute)
        self.salon = salon or salon_of(business, id_=4564)
        self.server.add_salon(self.salon)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def calls(self) -> Sequence[Json]:
        return tuple(self.server.calls)

    @property
    def violations(self) -> Sequence[Json]:
        return self.server.violations

    @property
    def changed(self) -> asyncio.Condition:
        return self.server.book.changed

    @property
    def seq(self) -> int:
        return self.server.book.seq

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.start(host, port)

    async def stop(self) -> None:
        await self.server.stop()

    def connection(self) -> Connection:
        return Connection(
            type="yclients",
            options={"api_url": self.url, "flavour": self.flavour, "company_id": str(self.salon.id)},
            secrets={"partner_token": self.server.partner_token, "user_token": self.server.user_token},
            wrong_secrets={"partner_token": "wrong-token", "user_token": "wrong-token"},
        )

    def fail(self, operation: str, **fault: Any) -> Fault:
        method, path = _CALLS[operation]
        return self.server.fail_next(path, method=method, **fault)

    def list_visits(self) -> tuple[Visit, ...]:
        return tuple(sorted(map(self._visit, self.salon.records.values()), key=lambda visit: visit.starts))

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        done = next(one for one in self.salon.services if one.title == service)
        staff_id = next(one.id for one in self.salon.masters if one.name == master)
        record = self.server.book.add_record(
            self.salon,
            staff_id=staff_id,
            services=[{"id": done.id, "title": done.title, "cost": done.price_min, "first_cost": done.price_min}],
            starts=starts.replace(tzinfo=self.salon.zone),
            seconds=done.length_with(staff_id),
            client=self.server.book.find_or_make_client(self.salon, phone, client),
        )
        return str(record["id"])

    def move_by_hand(self, record_id: str, starts: datetime) -> None:
        record = self.salon.records[int(record_id)]
        local = starts.replace(tzinfo=self.salon.zone)
        record |= {"datetime": local.isoformat(), "date": local.strftime("%Y-%m-%d %H:%M:%S")}
        self._changed(record, "update")

    def comment_by_hand(self, record_id: str, comment: str) -> None:
        """Write this into the record's comment, in place of what stood there."""
        record = self.salon.records[int(record_id)]
        record["comment"] = comment
        self._changed(record, "update")

    def cancel_by_hand(self, record_id: str) -> None:
        record = self.salon.records[int(record_id)]
        record["deleted"] = True
        self._changed(record, "delete")

    def add_client(self, name: str, phone: str) -> str:
        book = self.server.book
        id_ = book.next_id()
        digits = "".join(filter(str.isdigit, phone))
        # Whatever was typed, the vendor's answers carry numbers as +79161234567 (apib, "Clients").
        phone = "+" + ("7" + digits[1:] if digits.startswith("8") and len(digits) == 11 else digits)
        self.salon.clients[id_] = {"id": id_, "name": name, "phone": phone, "email": "", "visits": 0, "comment": ""}
        return str(id_)

    def _changed(self, record: Json, status: str) -> None:
        record["last_change_date"] = self.server.book.now().isoformat()
        self.server.journal.hooks.tell(self.salon.id, record, status)

    def _visit(self, record: Json) -> Visit:
        master = next(one for one in self.salon.masters if one.id == record["staff_id"])
        client = record["client"] or {}
        return Visit(
            id=str(record["id"]),
            starts=datetime.fromisoformat(record["datetime"]).replace(tzinfo=None),
            minutes=record["seance_length"] // 60,
            master=master.name,
            services=tuple(one["title"] for one in record["services"]),
            client=client.get("name", ""),
            phone=client.get("phone", ""),
            comment=record["comment"],
            external_id=record["api_id"],
            cancelled=record["deleted"],
            confirmed=record["attendance"] == 2,
        )
