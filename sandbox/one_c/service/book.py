"""The service's handlers over the salon's diary: what the module of a 1C base does (see deploy/1c)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from aiohttp import web

from sandbox.business import BusinessService
from sandbox.diary import Card, Diary, Entry
from sandbox.one_c.service.wire import (
    Refused,
    body_of,
    day,
    digits_of,
    fields_of,
    guid_of,
    invalid,
    is_guid,
    key_of,
    not_found,
    query_of,
    wall_clock,
)
from sandbox.staff_side import Json

Answer = tuple[int, Json | None]
Act = Callable[[web.Request], Awaitable[Answer]]
PRODUCTS = (("Шампунь восстанавливающий", 1290), ("Маска для волос", 1850.5))
_MONTH = 31
_MINUTE = timedelta(minutes=1)
_VISIT = {"client": dict, "staff_id": str, "service_ids": list, "start": str, "duration_min": int, "comment": str}
_PLACE = {"staff_id": str, "start": str, "duration_min": int}


class Book:
    """`told_zone`: what /info says in place of the business's own zone; empty: nothing."""

    def __init__(self, diary: Diary, *, lacks: Sequence[str], told_zone: str | None) -> None:
        self._diary = diary
        self._lacks = frozenset(lacks)
        self._told_zone = diary.business.time_zone if told_zone is None else told_zone
        # What the module of a base does by one exclusive lock inside the transaction.
        self._lock = asyncio.Lock()
        self.services = {guid_of("services", one.title): one for one in diary.services() if not one.prepaid}
        self.masters = {guid_of("staff", name): name for name in diary.masters()}

    def routes(self) -> list[tuple[str, str, Act]]:
        routes: list[tuple[str, str, Act]] = [
            ("GET", "/info", self.info),
            ("GET", "/services", self.list_services),
            ("GET", "/staff", self.list_staff),
            ("GET", "/slots", self.list_slots),
            ("GET", "/clients", self.find_clients),
            ("POST", "/clients", self.create_client),
            ("GET", "/appointments", self.list_appointments),
            ("POST", "/appointments", self.create_appointment),
            ("GET", "/appointments/{id}", self.get_appointment),
            ("PATCH", "/appointments/{id}", self.move_appointment),
            ("DELETE", "/appointments/{id}", self.cancel_appointment),
        ]
        return routes if "products" in self._lacks else [*routes, ("GET", "/products", self.list_products)]

    # ---- what the business offers

    async def info(self, request: web.Request) -> Answer:
        query_of(request, ())
        business = self._diary.business
        return 200, {
            "version": "1",
            "title": business.title,
            "timezone": self._told_zone,
            "currency": business.currency,
            "capabilities": sorted({"products", "changes"} - self._lacks),
        }

    async def list_services(self, request: web.Request) -> Answer:
        query_of(request, ())
        return 200, {"items": [self._service(id_, one) for id_, one in self.services.items()]}

    async def list_staff(self, request: web.Request) -> Answer:
        query_of(request, ())
        special = {one.name: one.specialization for one in self._diary.business.masters}
        return 200, {
            "items": [{"id": id_, "name": name, "specialization": special[name]} for id_, name in self.masters.items()]
        }

    async def list_products(self, request: web.Request) -> Answer:
        query_of(request, ())
        rows = [{"id": guid_of("products", name), "name": name, "price": price} for name, price in PRODUCTS]
        return 200, {"items": rows}

    async def list_slots(self, request: web.Request) -> Answer:
        query = query_of(request, ("staff_id",), ("service_ids", "from", "to"))
        titles = self._titles(query["service_ids"].split(","))
        first, last = day(query["from"]), day(query["to"])
        if (last - first).days >= _MONTH:
            raise invalid("from, to: не больше 31 дня")
        asked = query.get("staff_id", "")
        if asked and asked not in self.masters:
            raise not_found("staff_id")
        able = self._diary.masters(titles)
        days = [first + timedelta(days=shift) for shift in range((last - first).days + 1)]
        rows = [
            {"staff_id": id_, "start": start.isoformat(), "duration_min": self._diary.lasts(titles) // _MINUTE}
            for one in days
            for id_, name in self.masters.items()
            if name in able and asked in ("", id_)
            for start in self._diary.free_starts(name, titles, one)
        ]
        return 200, {"items": rows}

    # ---- clients

    async def find_clients(self, request: web.Request) -> Answer:
        query = query_of(request, (), ("phone",))
        if not query["phone"].isdigit():
            raise invalid("phone: нужны цифры")
        return 200, {"items": [_card(one) for one in self._cards(query["phone"])]}

    async def create_client(self, request: web.Request) -> Answer:
        body = await body_of(request, {"name": str, "phone": str})
        card, made = self._find_or_add(body)
        return (201 if made else 200), _card(card)

    # ---- appointments

    async def list_appointments(self, request: web.Request) -> Answer:
        known = ("client_id", "from", "to", "external_id", "with_cancelled", "changed_since")
        query = query_of(request, known)
        if not query or query.get("with_cancelled", "1") != "1":
            raise invalid("нужен отбор; with_cancelled бывает только 1")
        if "changed_since" in query and "changes" in self._lacks:
            raise invalid("changed_since: не поддерживается")
        return 200, {"items": [self._shown(one) for one in self._select(query)]}

    async def get_appointment(self, request: web.Request) -> Answer:
        return 200, self._shown(self._entry(request))

    async def create_appointment(self, request: web.Request) -> Answer:
        """Book in one transaction: the key, the lock, the check, the card, the visit."""
        key, body = key_of(request), await body_of(request, _VISIT)
        titles = self._titles(body["service_ids"])
        master, start, lasts = self._place(body, titles)
        async with self._lock:
            for one in self._diary.entries.values():
                if one.external_id == key:
                    return 200, self._shown(one)
            self._require_free(master, start, lasts)
            await asyncio.sleep(0)  # a transaction is no single step: without the lock two would pass the check
            card, _ = self._find_or_add(body["client"])
            entry = Entry(
                id=self._diary.new_id(),
                master=master,
                services=titles,
                start=start,
                client=card.name,
                phone=card.phone,
                comment=body["comment"],
                external_id=key,
                lasts=lasts,
            )
            return 201, self._shown(self._diary.write(entry))

    async def move_appointment(self, request: web.Request) -> Answer:
        body = await body_of(request, _PLACE)
        async with self._lock:
            entry = self._entry(request)
            if entry.cancelled:
                raise not_found("запись (отменена)")
            master, start, lasts = self._place(body, entry.services)
            if (entry.master, entry.start) != (master, start):
                self._require_free(master, start, lasts, but=entry.id)
                await asyncio.sleep(0)
                entry.master, entry.start, entry.lasts = master, start, lasts
                self._diary.write(entry)
            return 200, self._shown(entry)

    async def cancel_appointment(self, request: web.Request) -> Answer:
        async with self._lock:
            entry = self._entry(request)
            if not entry.cancelled:
                entry.cancelled = True
                self._diary.write(entry)
            return 204, None

    # ---- how

    def find_card(self, phone: str) -> Card | None:
        return next(self._cards(phone), None)

    def add_card(self, name: str, phone: str) -> Card:
        return self._diary.cards[self._diary.add_client(name, phone)]

    def _cards(self, phone: str) -> Iterator[Card]:
        wanted = digits_of(phone)
        return (one for one in self._diary.cards.values() if digits_of(one.phone) == wanted)

    def _find_or_add(self, person: Json) -> tuple[Card, bool]:
        """Return the card with this phone under its own name, else a new one."""
        fields_of(person, {"name": str, "phone": str}, where="client")
        if not person["phone"].isdigit() or not 8 <= len(person["phone"]) <= 15:
            raise invalid("phone: нужны цифры с кодом страны")
        if not person["name"].strip():
            raise invalid("name: пусто")
        known = self.find_card(person["phone"])
        return (known, False) if known else (self.add_card(person["name"], person["phone"]), True)

    def _titles(self, ids: Sequence[object]) -> list[str]:
        found = [self.services.get(str(id_)) for id_ in ids]
        if not found or None in found:
            raise not_found("service_ids")
        return [one.title for one in found if one]

    def _place(self, body: Json, titles: Sequence[str]) -> tuple[str, datetime, timedelta]:
        if body["duration_min"] <= 0:
            raise invalid("duration_min: нужно число минут")
        start = wall_clock(body["start"])
        if body["staff_id"] not in self.masters or self.masters[body["staff_id"]] not in self._diary.masters(titles):
            raise not_found("staff_id")
        return self.masters[body["staff_id"]], start, body["duration_min"] * _MINUTE

    def _require_free(self, master: str, start: datetime, lasts: timedelta, *, but: str = "") -> None:
        opening = self._diary.business.hours.get(start.weekday())
        works = opening is not None and (
            start >= datetime.combine(start, opening[0]) and start + lasts <= datetime.combine(start, opening[1])
        )
        if not works or not self._diary.is_free(master, start, lasts, but=but):
            raise Refused(409, "slot_taken", "Время занято")

    def _entry(self, request: web.Request) -> Entry:
        id_ = request.match_info["id"]
        if not is_guid(id_) or id_ not in self._diary.entries:
            raise not_found("запись")
        return self._diary.entries[id_]

    def _select(self, query: Mapping[str, str]) -> list[Entry]:
        rows = sorted(self._diary.entries.values(), key=lambda one: one.start)
        if "with_cancelled" not in query:
            rows = [one for one in rows if not one.cancelled]
        if "client_id" in query:
            card = self._diary.cards.get(query["client_id"])
            rows = [one for one in rows if card and digits_of(one.phone) == digits_of(card.phone)]
        if "external_id" in query:
            rows = [one for one in rows if one.external_id == query["external_id"]]
        if "from" in query:
            rows = [one for one in rows if one.start.date() >= day(query["from"])]
        if "to" in query:
            rows = [one for one in rows if one.start.date() <= day(query["to"])]
        if "changed_since" in query:
            since, zone = wall_clock(query["changed_since"]), self._diary.business.zone
            rows = [one for one in rows if one.changed_at.astimezone(zone).replace(tzinfo=None) >= since]
        return rows

    def _service(self, id_: str, service: BusinessService) -> Json:
        row: Json = {
            "id": id_,
            "name": service.title,
            "category": service.category,
            "price": service.low,
            "duration_min": service.minutes,
            "staff_ids": [guid for guid, name in self.masters.items() if name in service.masters],
        }
        return row | ({"price_max": service.high} if service.high > service.low else {})

    def _shown(self, entry: Entry) -> Json:
        done = [one for one in self._diary.business.services if one.title in entry.services]
        return {
            "id": entry.id,
            "start": entry.start.isoformat(),
            "duration_min": (self._diary.end_of(entry) - entry.start) // _MINUTE,
            "staff": {"id": guid_of("staff", entry.master), "name": entry.master},
            "services": [{"id": guid_of("services", one.title), "name": one.title, "price": one.low} for one in done],
            "client": {"name": entry.client, "phone": entry.phone},
            "comment": entry.comment,
            "external_id": entry.external_id,
            "cancelled": entry.cancelled,
        }


def _card(card: Card) -> Json:
    return {"id": card.id, "name": card.name, "phone": card.phone}
