"""The back office, with partner and user token: branch, services, staff, clients, records, rights, hooks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from sandbox.yclients.answers import Json, Refused, answer, numbered
from sandbox.yclients.hooks import Hooks
from sandbox.yclients.online import Route, moment
from sandbox.yclients.salon import Book, Salon

_RECORD_FIELDS = ("staff_id", "services", "client", "datetime", "seance_length", "save_if_busy", "send_sms")
_MOST_A_PAGE = 300


class Journal:
    """apib, sections "Companies", "Clients", "Records"."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.hooks = Hooks()

    def routes(self) -> list[Route]:
        record = "/record/{company_id}/{record_id}"
        return [
            ("GET", "/company/{company_id}", self.company, False),
            ("GET", "/company/{company_id}/", self.company, False),
            ("GET", "/company/{company_id}/services", self.services, False),
            ("GET", "/company/{company_id}/staff", self.staff, False),
            ("POST", "/company/{company_id}/clients/search", self.search_clients, True),
            ("POST", "/clients/{company_id}", self.create_client, True),
            ("GET", "/user/permissions/{company_id}", self.permissions, True),
            ("GET", "/records/{company_id}", self.list_records, True),
            ("POST", "/records/{company_id}", self.create_record, True),
            ("GET", record, self.get_record, True),
            ("PUT", record, self.change_record, True),
            ("DELETE", record, self.delete_record, True),
            ("GET", "/hooks_settings/{company_id}", self.get_hooks, True),
            ("POST", "/hooks_settings/{company_id}", self.set_hooks, True),
        ]

    async def company(self, request: web.Request) -> web.Response:
        """`timezone` is a number of hours here and an IANA name elsewhere; `timezone_name` is in newer replies."""
        salon = self._salon(request)
        hours = datetime.now(UTC).astimezone(ZoneInfo(salon.time_zone)).utcoffset()
        data: Json = {
            "id": salon.id,
            "title": salon.title,
            "country": "Россия",
            "country_id": 7,
            "city": salon.address.split(",")[0],
            "address": salon.address,
            "timezone": round(hours.total_seconds() / 3600) if hours is not None else 0,
            "timezone_name": salon.time_zone,
            "currency_short_title": "₽",
            "allow_change_record": salon.allow_change,
            "allow_change_record_delay_step": salon.change_delay_seconds,
            "allow_delete_record": salon.allow_delete,
            "allow_delete_record_delay_step": salon.delete_delay_seconds,
        }
        if request.query.get("showBookforms") == "1":
            data["bookforms"] = [
                {"id": 1, "title": "Основная", "is_default": 1, "url": f"https://n{salon.id}.yclients.com"}
            ]
        return answer(data)

    async def services(self, request: web.Request) -> web.Response:
        salon = self._salon(request)
        rows = [
            {
                "id": service.id,
                "salon_service_id": service.id,
                "category_id": service.category_id,
                "title": service.title,
                "price_min": service.price_min,
                "price_max": service.price_max,
                "active": 1,
                "api_id": "",
                "weight": 5,
                "staff": [{"id": one, "seance_length": service.length_with(one)} for one in service.staff],
            }
            for service in salon.services
        ]
        return answer(rows, meta={"total_count": len(rows)})

    async def staff(self, request: web.Request) -> web.Response:
        salon = self._salon(request)
        return answer(
            [
                {
                    "id": one.id,
                    "name": one.name,
                    "company_id": salon.id,
                    "specialization": one.specialization,
                    "position": [],
                    "fired": int(one.fired),
                    "hidden": int(one.hidden),
                    "status": 0,
                }
                for one in salon.masters
            ]
        )

    async def permissions(self, request: web.Request) -> web.Response:
        return answer(
            {
                "timetable": {
                    "timetable_access": True,
                    "timetable_phones_access": True,
                    "record_form_access": True,
                    "record_form_client_access": True,
                    "create_records_access": True,
                    "edit_records_access": True,
                    "delete_records_access": True,
                    "timetable_transferring_record_access": True,
                },
                "clients": {"clients_access": True, "client_phones_access": True, "edit_client_access": True},
            }
        )

    # ---- clients

    async def search_clients(self, request: web.Request) -> web.Response:
        """quick_search matches a part of phone or name; only `id` unless more fields are asked for."""
        salon = self._salon(request)
        body = await request.json()
        cards = list(salon.clients.values())
        for rule in body.get("filters", []):
            if rule.get("type") == "quick_search":
                value = str(rule["state"]["value"]).casefold()
                cards = [c for c in cards if value in c["phone"] or value in c["name"].casefold()]
        size = min(int(body.get("page_size", 25)), 200)
        first = (int(body.get("page", 1)) - 1) * size
        fields = body.get("fields") or ["id"]
        rows = [{name: card[name] for name in fields if name in card} for card in cards[first : first + size]]
        return answer(rows, meta={"total_count": len(cards)})

    async def create_client(self, request: web.Request) -> web.Response:
        """A duplicate phone's answer is unknown; it is refused with a text."""
        salon = self._salon(request)
        body = await request.json()
        name, phone = str(body.get("name", "")).strip(), str(body.get("phone", ""))
        if not name or not phone:
            raise Refused(422, "Не заполнены обязательные поля: name, phone")
        digits = "".join(filter(str.isdigit, phone))
        if any("".join(filter(str.isdigit, card["phone"])) == digits for card in salon.clients.values()):
            raise Refused(422, "Клиент с таким номером телефона уже существует")
        return answer(self._book.find_or_make_client(salon, digits, name), status=201)

    # ---- records

    async def list_records(self, request: web.Request) -> web.Response:
        """No filter by phone and none by api_id; `meta.count` is absent."""
        salon = self._salon(request)
        query = request.query
        rows = sorted(salon.records.values(), key=lambda record: record["id"])
        if query.get("with_deleted") != "1":
            rows = [row for row in rows if not row["deleted"]]
        if staff_id := numbered(request, "staff_id"):
            rows = [row for row in rows if row["staff_id"] == staff_id]
        if client_id := numbered(request, "client_id"):
            rows = [row for row in rows if row["client"] and row["client"]["id"] == client_id]
        if first := query.get("start_date"):
            rows = [row for row in rows if row["date"][:10] >= date.fromisoformat(first).isoformat()]
        if last := query.get("end_date"):
            rows = [row for row in rows if row["date"][:10] <= date.fromisoformat(last).isoformat()]
        if changed := query.get("changed_after"):
            rows = [row for row in rows if row["last_change_date"] >= changed]
        size = min(int(query.get("count", 50)), _MOST_A_PAGE)
        page = int(query.get("page", 1))
        shown = [self._shown(salon, row) for row in rows[(page - 1) * size : page * size]]
        return answer(shown, meta={"page": page, "total_count": len(rows)})

    async def get_record(self, request: web.Request) -> web.Response:
        salon = self._salon(request)
        return answer(self._shown(salon, self._record(salon, request)))

    async def create_record(self, request: web.Request) -> web.Response:
        """`save_if_busy: true` really books twice; without it a busy time is refused (409 or 422 is unknown: 409)."""
        salon = self._salon(request)
        body = await request.json()
        fields = self._read(salon, body)
        if not body["save_if_busy"] and salon.busy(fields["staff_id"], fields["starts"], fields["seconds"]):
            raise Refused(409, "Выбранное время занято")
        person = body["client"]
        client = self._book.find_or_make_client(salon, str(person["phone"]), str(person["name"]))
        # The journal renames the card that it finds: so it does for whoever books by hand.
        client["name"] = str(person["name"]) or client["name"]
        record = self._book.add_record(
            salon, client=client, **fields, comment=str(body.get("comment", "")), api_id=str(body.get("api_id", ""))
        )
        await self._book.tell()
        self.hooks.tell(salon.id, record, "create")
        return answer(self._shown(salon, record), status=201)

    async def change_record(self, request: web.Request) -> web.Response:
        """The whole body is demanded: what is left out is lost, as the documents promise no partial change."""
        salon = self._salon(request)
        record = self._record(salon, request)
        if record["deleted"]:
            raise Refused(404, "Запись не найдена")
        body = await request.json()
        fields = self._read(salon, body)
        if not body["save_if_busy"] and salon.busy(
            fields["staff_id"], fields["starts"], fields["seconds"], but=record["id"]
        ):
            raise Refused(409, "Выбранное время занято")
        local = fields["starts"].astimezone(salon.zone)
        record |= {
            "staff_id": fields["staff_id"],
            "services": fields["services"],
            "datetime": local.isoformat(),
            "date": local.strftime("%Y-%m-%d %H:%M:%S"),
            "seance_length": fields["seconds"],
            "length": fields["seconds"],
            "comment": str(body.get("comment", "")),
            "api_id": str(body.get("api_id", "")),
            "attendance": int(body.get("attendance", 0)),
            "last_change_date": self._book.now().isoformat(),
        }
        await self._book.tell()
        self.hooks.tell(salon.id, record, "update")
        return answer(self._shown(salon, record), status=201)

    async def delete_record(self, request: web.Request) -> web.Response:
        """204 without a body; a repeat is 404 (unknown: not documented)."""
        salon = self._salon(request)
        record = self._record(salon, request)
        if record["deleted"]:
            raise Refused(404, "Запись не найдена")
        record["deleted"] = True
        record["last_change_date"] = self._book.now().isoformat()
        await self._book.tell()
        self.hooks.tell(salon.id, record, "delete")
        return web.Response(status=204)

    async def get_hooks(self, request: web.Request) -> web.Response:
        return answer(self.hooks.settings.get(int(request.match_info["company_id"]), {"urls": [], "active": 0}))

    async def set_hooks(self, request: web.Request) -> web.Response:
        self.hooks.settings[int(request.match_info["company_id"])] = await request.json()
        return answer(await request.json(), status=201)

    def _read(self, salon: Salon, body: Json) -> dict[str, Any]:
        """Hold a record's body against what the documents demand. Raises Refused, KeyError."""
        missing = [name for name in _RECORD_FIELDS if name not in body]
        if missing:
            raise Refused(422, f"Не переданы поля: {', '.join(missing)}")
        staff_id, seconds = body["staff_id"], body["seance_length"]
        if not isinstance(staff_id, int) or not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 300:
            raise Refused(422, "staff_id и seance_length должны быть числами (секунды)")
        if salon.master(staff_id) is None:
            raise Refused(404, "Сотрудник не найден")
        services = []
        for given in body["services"]:
            service = salon.service(int(given["id"]))
            if service is None:
                raise Refused(404, "Услуга не найдена")
            cost = float(given.get("cost", 0))
            services.append(
                {
                    "id": service.id,
                    "title": service.title,
                    "cost": cost,
                    "first_cost": float(given.get("first_cost", cost)),
                    "discount": float(given.get("discount", 0)),
                    "amount": 1,
                }
            )
        person = body["client"]
        if not isinstance(person, dict) or not str(person.get("phone", "")) or not str(person.get("name", "")):
            raise Refused(422, "client: нужны phone и name")
        starts = moment(str(body["datetime"]), salon)
        return {"staff_id": staff_id, "services": services, "starts": starts, "seconds": seconds}

    def _record(self, salon: Salon, request: web.Request) -> Json:
        record = salon.records.get(int(request.match_info["record_id"]))
        if record is None:
            raise Refused(404, "Запись не найдена")
        return record

    def _shown(self, salon: Salon, record: Json) -> Json:
        """Show a record as the API does: its moment without the colon in the offset, `[]` for an absent client."""
        master = next((one for one in salon.masters if one.id == record["staff_id"]), None)
        local = datetime.fromisoformat(record["datetime"])
        staff = {"id": record["staff_id"], "name": master.name if master else "", "specialization": "", "position": []}
        return {
            **record,
            "datetime": local.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "staff": staff,
            "client": record["client"] or [],
        }

    def _salon(self, request: web.Request) -> Salon:
        return self._book.salons[int(request.match_info["company_id"])]
