"""`crm.*` and `catalog.*`, as far as a booking needs them: contacts, deals, leads, services with prices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.bitrix24.calendar import FIELD, ResourceField
from sandbox.bitrix24.calling import Json, Refused
from sandbox.bitrix24.portal import DURATION, IBLOCK, MASTERS, Portal, plain_phone

LEAD, DEAL, CONTACT = 1, 2, 3
PAGE = 50
_KNOWN = {
    LEAD: {"title", "name", "stageId", "fm", "comments", "assignedById", "originatorId", "originId", "opportunity"},
    DEAL: {
        "title",
        "categoryId",
        "stageId",
        "contactIds",
        "contactId",
        "opportunity",
        "currencyId",
        "isManualOpportunity",
        "assignedById",
        "begindate",
        "closedate",
        "comments",
        "originatorId",
        "originId",
    },
}
Method = Callable[[Json], object]


FIELD_IN_CAMELS = "ufCrm_1709565075"
"""How the universal methods name the field unless they are asked for original names."""


class Crm:
    """`booked`: the field of deals in which a portal without the booking module keeps its bookings."""

    def __init__(self, portal: Portal, booked: ResourceField | None = None) -> None:
        self._portal = portal
        self._booked = booked

    def methods(self) -> dict[str, Method]:
        return {
            "crm.duplicate.findbycomm": self.find_by_phone,
            "crm.item.list": self.list_items,
            "crm.item.get": self.get_item,
            "crm.item.add": self.add_item,
            "crm.item.update": self.update_item,
            "crm.item.delete": self.delete_item,
            "crm.item.fields": self.fields,
            "crm.status.list": self.statuses,
            "catalog.catalog.list": self.catalogues,
            "catalog.product.service.list": self.services,
            "catalog.price.list": self.prices,
            "catalog.productProperty.list": self.properties,
        }

    def find_by_phone(self, body: Json) -> object:
        """An empty map comes as an empty list, PHP's way."""
        values = list(body.get("values") or [])
        if body.get("type") != "PHONE" or not values or len(values) > 20:
            raise Refused(400, "", "Wrong parameters")
        wanted = {plain_phone(str(one)) for one in values}
        found = [int(card.id) for card in self._portal.diary.cards.values() if plain_phone(card.phone) in wanted]
        return {"CONTACT": found[:20]} if found else []

    def list_items(self, body: Json) -> object:
        kind = _kind(body)
        rows = [row for row in self._rows(kind) if _fits(row, body.get("filter") or {})]
        start = max(0, int(body.get("start") or 0))
        shown = [self._shown(kind, row, body) for row in rows[start : start + PAGE]]
        selected = body.get("select") or ["*"]
        return {"items": [_selected(row, selected) for row in shown], "_total": len(rows)}

    def get_item(self, body: Json) -> object:
        for row in self._rows(_kind(body)):
            if row["id"] == int(str(body.get("id", 0))):
                return {"item": self._shown(_kind(body), row, body)}
        raise Refused(400, "NOT_FOUND", "Element not found")

    def add_item(self, body: Json) -> object:
        kind, fields = _kind(body), body.get("fields") or {}
        if kind == CONTACT:
            phones = [one["value"] for one in fields.get("fm", []) if one["typeId"] == "PHONE"]
            name = " ".join(filter(None, (fields.get("name"), fields.get("lastName"))))
            number = self._portal.diary.add_client(name, phones[0] if phones else "")
            return {"item": self._contact(number)}
        row: Json = {"id": int(self._portal.diary.new_id())}
        self._portal.items[kind][row["id"]] = row
        self._write(kind, row, body)
        return {"item": self._shown(kind, row, body)}

    def update_item(self, body: Json) -> object:
        kind = _kind(body)
        row = self._row(kind, body)
        self._write(kind, row, body)
        return {"item": self._shown(kind, row, body)}

    def delete_item(self, body: Json) -> object:
        """The item goes into the recycle bin, and a deal's booking with it."""
        kind = _kind(body)
        row = self._row(kind, body)
        if self._booked is not None and kind == DEAL:
            self._booked.save(row, [])
        del self._portal.items[kind][row["id"]]
        return []

    def _row(self, kind: int, body: Json) -> Json:
        row = self._portal.items.get(kind, {}).get(int(str(body.get("id", 0))))
        if row is None:
            raise Refused(400, "NOT_FOUND", "Element not found")
        return row

    def _write(self, kind: int, row: Json, body: Json) -> None:
        """Take the fields that are known; unknown names are ignored without a word."""
        fields = body.get("fields") or {}
        row |= {name: value for name, value in fields.items() if name in _KNOWN[kind]}
        row |= {"contactId": row["contactIds"][0]} if row.get("contactIds") else {}
        if self._booked is not None and kind == DEAL and _field_name(body) in fields:
            self._booked.save(row, fields[_field_name(body)])

    def _shown(self, kind: int, row: Json, body: Json) -> Json:
        if self._booked is None or kind != DEAL:
            return row
        return row | {_field_name(body): self._booked.value_of(row["id"])}

    def fields(self, body: Json) -> object:
        names = _KNOWN.get(_kind(body), {"name", "lastName", "fm", "originatorId", "originId", "opened", "typeId"})
        return {"fields": {name: {"type": "string", "title": name} for name in sorted(names)}}

    def statuses(self, body: Json) -> object:
        entity = str((body.get("filter") or {}).get("ENTITY_ID", ""))
        prefix = entity.removeprefix("DEAL_STAGE").lstrip("_")
        mark = f"C{prefix}:" if prefix else ""
        return [{"ENTITY_ID": entity, "STATUS_ID": f"{mark}{one}", "NAME": one} for one in ("NEW", "WON", "LOSE")]

    def catalogues(self, _: Json) -> object:
        return {"catalogs": [{"id": IBLOCK, "iblockId": IBLOCK, "iblockTypeId": "CRM_PRODUCT_CATALOG", "name": "CRM"}]}

    def services(self, body: Json) -> object:
        """`id` and `iblockId` are mandatory in `select`, `iblockId` in `filter` (as documented)."""
        selected, chosen = body.get("select") or [], body.get("filter") or {}
        if not {"id", "iblockId"} <= set(selected) or str(chosen.get("iblockId")) != str(IBLOCK):
            raise Refused(400, "200040300010", "Required select fields: id, iblockId; required filter: iblockId")
        rows = [
            row for row in map(self._service, self._portal.services()) if chosen.get("active") in (None, row["active"])
        ]
        start = max(0, int(body.get("start") or 0))
        return {"services": [_selected(row, selected) for row in rows[start : start + PAGE]], "_total": len(rows)}

    def prices(self, body: Json) -> object:
        wanted = {int(one) for one in (body.get("filter") or {}).get("productId", [])}
        titles = self._portal.services()
        prices = {one.title: one.low for one in self._portal.business.services}
        rows = [
            {
                "id": 9000 + number,
                "productId": number,
                "price": prices[title],
                "currency": self._portal.business.currency,
            }
            | {"catalogGroupId": 1}
            for number, title in titles.items()
            if number in wanted
        ]
        start = max(0, int(body.get("start") or 0))
        return {"prices": rows[start : start + PAGE], "_total": len(rows)}

    def properties(self, body: Json) -> object:
        """The custom properties of a catalogue (`catalog.productProperty.list`)."""
        named = ((DURATION, "Длительность, мин", "N"), (MASTERS, "Мастера", "Y"))
        return {
            "productProperties": [
                {"id": number, "iblockId": IBLOCK, "name": name, "propertyType": "S", "multiple": multiple}
                for number, name, multiple in named
            ]
        }

    def _service(self, number: int) -> Json:
        one = next(one for one in self._portal.business.services if one.title == self._portal.services()[number])
        does = [str(resource) for resource, name in self._portal.resources().items() if name in one.masters]
        return {
            "id": number,
            "iblockId": IBLOCK,
            "name": one.title,
            "active": "Y" if one.online else "N",
            "iblockSectionId": None,
            "xmlId": str(number),
            f"property{DURATION}": {"value": str(one.minutes), "valueId": str(number * 10)},
            f"property{MASTERS}": [{"value": master, "valueId": f"{number}{master}"} for master in does] or False,
        }

    def _rows(self, kind: int) -> list[Json]:
        if kind == CONTACT:
            return [self._contact(number) for number in self._portal.diary.cards]
        return list(self._portal.items[kind].values())

    def _contact(self, number: str) -> Json:
        card = self._portal.diary.cards[number]
        phone = {"id": int(number) * 10, "typeId": "PHONE", "valueType": "MOBILE", "value": card.phone}
        return {"id": int(number), "name": card.name, "lastName": None, "fm": [phone] if card.phone else []}


def _kind(body: Json) -> int:
    kind = str(body.get("entityTypeId", ""))
    if kind not in ("1", "2", "3"):
        raise Refused(400, "NOT_FOUND", "SPA not found")
    return int(kind)


def _field_name(body: Json) -> str:
    return FIELD if body.get("useOriginalUfNames") == "Y" else FIELD_IN_CAMELS


def _fits(row: Json, chosen: Json) -> bool:
    for name, wanted in chosen.items():
        if name.startswith("@"):
            if str(row.get(name[1:])) not in {str(one) for one in wanted}:
                return False
        elif str(row.get(name.lstrip("="))) != str(wanted):
            return False
    return True


def _selected(row: Json, names: list[Any]) -> Json:
    """Multifields (`fm`) come with "*" alone."""
    return row if "*" in names else {name: row.get(name) for name in names if name != "fm"}
