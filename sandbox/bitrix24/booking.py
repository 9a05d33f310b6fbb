"""`booking.v1.*` as the vendor's REST documentation describes it (scope booking)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.bitrix24.calling import Json, Refused
from sandbox.bitrix24.portal import Portal, Texts
from sandbox.diary import Entry

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Method = Callable[[Json], object]


class Bookings:
    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def methods(self) -> dict[str, Method]:
        return {
            "booking.v1.resourceType.list": self.resource_types,
            "booking.v1.resource.list": self.resources,
            "booking.v1.resource.slots.list": self.slots,
            "booking.v1.booking.list": self.list,
            "booking.v1.booking.get": self.get,
            "booking.v1.booking.add": self.add,
            "booking.v1.booking.update": self.update,
            "booking.v1.booking.delete": self.delete,
            "booking.v1.booking.client.set": self.set_clients,
            "booking.v1.booking.client.list": self.list_clients,
            "booking.v1.booking.externalData.set": self.set_external,
        }

    def resource_types(self, _: Json) -> object:
        """The document's sample answers under the key `resource`."""
        return {"resource": [{"id": 1, "moduleId": "booking", "code": "expert", "name": "Специалист"}]}

    def resources(self, _: Json) -> object:
        rows = []
        for number, name in self._portal.resources().items():
            master = next(one for one in self._portal.business.masters if one.name == name)
            row = {"id": number, "name": name, "description": master.specialization, "typeId": 1, "isMain": "Y"}
            rows.append(row)
        return {"resource": rows}

    def slots(self, body: Json) -> object:
        self._portal.resource(_number(body, "resourceId"))
        rows = []
        for day, (opens, closes) in self._portal.business.hours.items():
            rows.append(
                {
                    "id": day + 1,
                    "from": opens.hour * 60 + opens.minute,
                    "to": closes.hour * 60 + closes.minute,
                    "timezone": self._portal.business.time_zone,
                    "weekDays": [_DAYS[day]],
                    "slotSize": self._portal.business.grid_minutes,
                }
            )
        return {"slots": rows}

    def list(self, body: Json) -> object:
        """Bookings that touch the window. No filter by resource, and no word whether there are pages (see Portal)."""
        chosen = body.get("filter") or {}
        within = chosen.get("within") or {}
        first, last = _number(within, "dateFrom"), _number(within, "dateTo")
        wanted = {
            str(one["id"])
            for one in (chosen.get("client") or {}).get("entities", [])
            if (one["code"], one["module"]) == ("CONTACT", "crm")
        }
        rows = []
        for entry in sorted(self._portal.diary.entries.values(), key=lambda one: int(one.id)):
            shown = self._portal.shown(entry)
            begins, ends = (shown["datePeriod"][side]["timestamp"] for side in ("from", "to"))
            mine = not wanted or wanted & set(self._portal.contacts_of.get(entry.id, []))
            if not entry.cancelled and begins < last and first < ends and mine:
                rows.append(shown)
        if not self._portal.pages:
            return {"booking": rows}
        start = max(0, int(body.get("start") or 0))
        told = {"_total": len(rows)} if self._portal.pages == "told" else {}
        return {"booking": rows[start : start + 50], **told}

    def get(self, body: Json) -> object:
        return {"booking": self._portal.shown(self._portal.entry(_number(body, "id")))}

    def add(self, body: Json) -> object:
        fields = body.get("fields") or {}
        numbers = fields.get("resourceIds")
        if not numbers:
            raise Refused(400, 1018, "Empty resource collection")
        # The same number for a busy resource and for one that is not there (as documented).
        if int(numbers[0]) not in self._portal.resources():
            raise Refused(400, 1018, "Empty resource collection")
        start, lasts = self._period(fields)
        name = str(fields.get("name", ""))
        entry = Entry(
            id=self._portal.diary.new_id(),
            master="",
            services=self._portal.services_in(name),
            start=start,
            client="",
            phone="",
            comment=str(fields.get("description") or ""),
        )
        self._portal.place(entry, self._portal.resource(int(numbers[0])), start, lasts)
        self._portal.texts[entry.id] = Texts(name, fields.get("description"))
        return {"id": int(entry.id)}

    def update(self, body: Json) -> object:
        entry, fields = self._portal.entry(_number(body, "id")), body.get("fields") or {}
        master = entry.master
        if fields.get("resourceIds"):
            master = self._portal.resource(int(fields["resourceIds"][0]))
        start, lasts = entry.start, self._portal.diary.end_of(entry) - entry.start
        if "datePeriod" in fields:
            start, lasts = self._period(fields)
        self._portal.place(entry, master, start, lasts)
        return True

    def delete(self, body: Json) -> object:
        entry = self._portal.entry(_number(body, "id"))
        entry.cancelled = True
        self._portal.diary.write(entry)
        return True

    def set_clients(self, body: Json) -> object:
        """Whether `set` replaces or adds is not documented; it replaces here."""
        entry = self._portal.entry(_number(body, "bookingId"))
        numbers = [str(one["id"]) for one in body["clients"] if one["type"]["code"] == "CONTACT"]
        unknown = [one for one in numbers if one not in self._portal.diary.cards]
        if unknown:
            raise Refused(400, 0, "Client not found")
        self._portal.name_clients(entry, numbers)
        return True

    def list_clients(self, body: Json) -> object:
        entry = self._portal.entry(_number(body, "bookingId"))
        found = self._portal.contacts_of.get(entry.id, [])
        return {"bookingClient": [{"id": int(one), "type": {"module": "crm", "code": "CONTACT"}} for one in found]}

    def set_external(self, body: Json) -> object:
        entry = self._portal.entry(_number(body, "bookingId"))
        self._portal.external[entry.id] = list(body["externalData"])
        return True

    def _period(self, fields: Json) -> tuple[datetime, timedelta]:
        period = fields.get("datePeriod") or {}
        if not period.get("from") or not period.get("to"):
            raise Refused(400, 422, "Invalid date period")
        seconds = int(period["to"]["timestamp"]) - int(period["from"]["timestamp"])
        return self._portal.wall(period["from"]), timedelta(seconds=seconds)


def _number(body: Json, name: str) -> int:
    value = body.get(name)
    if value is None or not str(value).lstrip("-").isdigit():
        raise Refused(400, 100, f"Could not find value for parameter {{{name}}}")
    return int(str(value))
