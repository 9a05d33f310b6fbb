"""Online booking, with the partner token alone: services, masters, free days and times, the check, the booking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from aiohttp import web

from sandbox.yclients.answers import Json, Refused, answer, listed, numbered
from sandbox.yclients.salon import Book, Salon, Service

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]], bool]
_DAYS_AHEAD = 60


class Online:
    """apib, section "Online booking"."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def routes(self) -> list[Route]:
        return [
            ("GET", "/book_services/{company_id}", self.book_services, False),
            ("GET", "/book_staff/{company_id}", self.book_staff, False),
            ("GET", "/book_dates/{company_id}", self.book_dates, False),
            ("GET", "/book_times/{company_id}/{staff_id}/{day}", self.book_times, False),
            ("POST", "/book_check/{company_id}", self.book_check, False),
            ("POST", "/book_record/{company_id}", self.book_record, False),
        ]

    async def book_services(self, request: web.Request) -> web.Response:
        """List what may be booked online; lengths only where a master is named."""
        salon = self._salon(request)
        staff_id = numbered(request, "staff_id")
        shown = [
            _service(service, staff_id)
            for service in salon.services
            if service.online and any(master.id in service.staff for master in salon.masters_for([service.id]))
            if not staff_id or staff_id in service.staff
        ]
        category = [{"id": 1, "title": "Услуги", "sex": 0, "api_id": "", "weight": 1}]
        return answer({"events": [], "services": shown, "category": category})

    async def book_staff(self, request: web.Request) -> web.Response:
        """List masters for the services; ids may be strings in some lists, numbers here."""
        salon = self._salon(request)
        service_ids = listed(request, "service_ids")
        now = self._book.now()
        rows = []
        for master in salon.masters_for(service_ids):
            row: Json = {
                "id": master.id,
                "name": master.name,
                "specialization": master.specialization,
                "position": [],
                "bookable": True,
                "weight": 10,
                "rating": 0,
                "avatar": "",
                "information": "<p></p>",
                "schedule_till": None,
            }
            days = self._days(salon, service_ids, master.id, now.astimezone(salon.zone).date(), 14)
            row["seance_date"] = days[0].isoformat() if days else None
            rows.append(row)
        return answer(rows)

    async def book_dates(self, request: web.Request) -> web.Response:
        """List the month's days with free time; `date` is any day of the month."""
        salon = self._salon(request)
        service_ids = listed(request, "service_ids")
        today = self._book.now().astimezone(salon.zone).date()
        wanted = request.query.get("date")
        month = date.fromisoformat(wanted).replace(day=1) if wanted else today.replace(day=1)
        first = max(today, month)
        last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        days: list[date] = []
        if last >= today:
            staff_id = numbered(request, "staff_id") or 0
            days = self._days(salon, service_ids, staff_id, first, (last - first).days + 1)
        dates = [day.isoformat() for day in days]
        by_month: Json = {}
        for day in days:
            by_month.setdefault(str(day.month), []).append(str(day.day))
        return answer(
            {
                "booking_days": by_month or [],
                "booking_dates": dates,
                "working_days": by_month or [],
                "working_dates": dates,
            }
        )

    async def book_times(self, request: web.Request) -> web.Response:
        """List free times of a day; staff 0 is anybody."""
        salon = self._salon(request)
        service_ids = listed(request, "service_ids")
        day = date.fromisoformat(request.match_info["day"])
        staff_id = int(request.match_info["staff_id"])
        self._known(salon, service_ids)
        masters = [staff_id] if staff_id else [master.id for master in salon.masters_for(service_ids)]
        if staff_id and staff_id not in [master.id for master in salon.masters_for(service_ids)]:
            return answer([])
        seances: dict[datetime, int] = {}
        for master in masters:
            for starts in salon.free_times(service_ids, master, day, self._book.now()):
                seances.setdefault(starts, salon.length(service_ids, master))
        return answer(
            [
                {
                    "time": f"{starts.hour}:{starts:%M}",
                    "seance_length": seconds,
                    "sum_length": seconds,
                    "datetime": starts.isoformat(),
                }
                for starts, seconds in sorted(seances.items())
            ]
        )

    async def book_check(self, request: web.Request) -> web.Response:
        """201 without a body means that it can be booked."""
        salon = self._salon(request)
        body = await request.json()
        self._check(salon, body["appointments"])
        return web.Response(status=201)

    async def book_record(self, request: web.Request) -> web.Response:
        salon = self._salon(request)
        body = await request.json()
        digits = "".join(filter(str.isdigit, str(body.get("phone", ""))))
        if not 10 <= len(digits) <= 15:
            raise Refused(422, "Некорректный номер телефона", code=431)
        if digits in salon.blacklist:
            raise Refused(403, "Запись невозможна", code=434)
        if not str(body.get("fullname", "")).strip():
            raise Refused(422, "Не передано имя клиента", code=435)
        booked = self._check(salon, body["appointments"])
        client = self._book.find_or_make_client(salon, digits, str(body["fullname"]))
        made = []
        for number, (staff_id, services, starts, seconds) in booked.items():
            record = self._book.add_record(
                salon,
                staff_id=staff_id,
                services=[{"id": one.id, "title": one.title, "cost": one.price_min} for one in services],
                starts=starts,
                seconds=seconds,
                client=client,
                comment=str(body.get("comment", "")),
                api_id=str(body.get("api_id", "")),
                online=True,
            )
            made.append({"id": number, "record_id": record["id"], "record_hash": f"hash{record['id']}"})
        await self._book.tell()
        return answer(made, status=201)

    def _check(self, salon: Salon, appointments: list[Json]) -> dict[int, tuple[int, list[Service], datetime, int]]:
        """Hold the wanted visits against the schedule. Raises Refused with the booking codes."""
        found: dict[int, tuple[int, list[Service], datetime, int]] = {}
        for wanted in appointments:
            number, staff_id = int(wanted["id"]), int(wanted["staff_id"])
            service_ids = [int(one) for one in wanted["services"]]
            services = self._known(salon, service_ids)
            if any(service.prepaid == "required" for service in services):
                raise Refused(422, "Услуга требует предоплаты", code=437)
            starts = moment(str(wanted["datetime"]), salon)
            masters = [one.id for one in salon.masters_for(service_ids)]
            choice = [staff_id] if staff_id else masters
            if staff_id and staff_id not in masters:
                raise Refused(422, "Сотрудник не оказывает эту услугу", code=438)
            free = [
                master
                for master in choice
                if starts in set(salon.free_times(service_ids, master, starts.date(), self._book.now()))
            ]
            if not free:
                busy = staff_id != 0
                raise Refused(
                    422,
                    "В выбранное время сотрудник занят" if busy else "Нет свободных сотрудников",
                    code=433 if busy else 436,
                )
            for other_id, other_services, other_starts, other_seconds in found.values():
                del other_services
                ends = starts + timedelta(seconds=salon.length(service_ids, free[0]))
                if (
                    other_id == free[0]
                    and starts < other_starts + timedelta(seconds=other_seconds)
                    and other_starts < ends
                ):
                    raise Refused(422, "Записи пересекаются", code=437)
            found[number] = (free[0], services, starts, salon.length(service_ids, free[0]))
        return found

    def _known(self, salon: Salon, service_ids: list[int]) -> list[Service]:
        services = [salon.service(id_) for id_ in service_ids]
        if any(service is None or not service.online for service in services):
            raise Refused(422, "Услуга не найдена", code=438)
        return [service for service in services if service]

    def _days(self, salon: Salon, service_ids: list[int], staff_id: int, first: date, count: int) -> list[date]:
        masters = [staff_id] if staff_id else [master.id for master in salon.masters_for(service_ids)]
        now = self._book.now()
        limit = now.astimezone(salon.zone).date() + timedelta(days=_DAYS_AHEAD)
        days = (first + timedelta(days=offset) for offset in range(count))
        return [
            day
            for day in days
            if day <= limit
            and any(next(salon.free_times(service_ids, one, day, now), None) is not None for one in masters)
        ]

    def _salon(self, request: web.Request) -> Salon:
        return self._book.salons[int(request.match_info["company_id"])]


def moment(text: str, salon: Salon) -> datetime:
    """Read a moment with an offset, with or without its colon, or the branch's wall clock."""
    parsed = datetime.fromisoformat(text)
    return parsed.astimezone(salon.zone) if parsed.tzinfo else parsed.replace(tzinfo=salon.zone)


def _service(service: Service, staff_id: int | None) -> Json:
    return {
        "id": service.id,
        "title": service.title,
        "category_id": service.category_id,
        "price_min": service.price_min,
        "price_max": service.price_max,
        "discount": 0,
        "comment": service.comment,
        "weight": 5,
        "active": 1,
        "sex": 0,
        "image": "",
        "prepaid": service.prepaid,
        "seance_length": service.length_with(staff_id) if staff_id else None,
    }
