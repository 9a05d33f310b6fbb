"""The infobase: rows of every set, versions, numbers, posting, and what its administrator has switched on."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.one_c.odata.refusal import Refused
from sandbox.one_c.odata.schema import EMPTY, ZERO_DATE, EntitySet, Fields

Json = dict[str, Any]
Key = tuple[str, ...]
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Infobase:
    """Rows by set and key. Switches and what shows from outside:

    - `ignores_client_keys`: keys of its own are given out whatever is sent;
    - `posting_fails`: the text of the exception that posting raises;
    - `forbidden`: sets wholly without rights; `hidden`: keys that row restrictions keep from our user;
    - `stale`: posted documents whose movements no longer fit their fields;
    - `written`: the configuration's own handler of what came through the interface.
    """

    def __init__(
        self, sets: Sequence[EntitySet], *, now: Callable[[], datetime], written: Callable[[Infobase, Json], None]
    ) -> None:
        self.sets: Mapping[str, EntitySet] = {one.name: one for one in sets}
        self.switched_on: set[str] = set(self.sets)
        self.rows: dict[str, dict[Key, Json]] = {name: {} for name in self.sets}
        self.ignores_client_keys = False
        self.posting_fails = ""
        self.forbidden: set[str] = set()
        self.hidden: set[str] = set()
        self.stale: set[str] = set()
        self.now = now
        self._written = written
        self._version = 0
        self._number = 0

    # ---- by the platform's own hand: staff's forms and the seeds

    def put(self, name: str, **fields: Any) -> str:
        """Write a new entity without any check; return its Ref_Key ("" for a register's record)."""
        entity_set = self.sets[name]
        row: Json = {field: EMPTY[kind] for field, kind in entity_set.fields.items()}
        row |= {part: [] for part in entity_set.parts} | fields
        for part, kinds in entity_set.parts.items():
            row[part] = [_line(kinds, number, one) for number, one in enumerate(row[part], 1)]
        if entity_set.is_object:
            if row["Ref_Key"] == EMPTY["guid"]:
                row["Ref_Key"] = str(uuid.uuid1())
            self._count(entity_set, row)
        self.rows[name][self._key(entity_set, row)] = row
        return str(row.get("Ref_Key", ""))

    def change(self, name: str, key: str, **fields: Any) -> None:
        row = self.rows[name][(key,)]
        row |= fields
        self._touch(row)

    def find(self, name: str, **fields: Any) -> Json | None:
        return next((row for row in self.rows[name].values() if all(row[k] == v for k, v in fields.items())), None)

    # ---- by the interface

    def get(self, entity_set: EntitySet, key: Key) -> Json:
        row = self.rows[entity_set.name].get(key)
        if row is None:
            raise Refused(9, f"Экземпляр сущности {entity_set.name} не найден по переданному ключу")
        if set(key) & self.hidden:
            raise Refused(20, "Недостаточно прав")
        return row

    def create(self, entity_set: EntitySet, body: Json) -> Json:
        sent = self.checked(entity_set, body)
        key = str(sent.get("Ref_Key", ""))
        if key and not self.ignores_client_keys and (key,) in self.rows[entity_set.name]:
            raise Refused(15, "Сущность с таким ключом уже существует")
        if not key or self.ignores_client_keys:
            sent["Ref_Key"] = str(uuid.uuid1())
        if sent.pop("Posted", False):
            raise Refused(16, "Не удалось присвоить свойство Posted: документ проводят методом Post")
        if entity_set.is_document and sent.get("Date", ZERO_DATE) == ZERO_DATE:
            raise Refused(5, "Отсутствует обязательное значение свойства Date")
        row = self.rows[entity_set.name][(self.put(entity_set.name, **sent),)]
        self._written(self, row)
        return row

    def patch(self, entity_set: EntitySet, key: Key, body: Json, *, version: str | None) -> Json:
        row = self.get(entity_set, key)
        if version is not None and version != row["DataVersion"]:
            raise Refused(None, "Версия данных изменилась", status=412)
        changes = self.checked(entity_set, body)
        if changes.get("Posted", row.get("Posted")) != row.get("Posted"):
            raise Refused(16, "Не удалось присвоить свойство Posted: документ проводят методом Post")
        if changes.get("DeletionMark") and row.get("Posted"):
            raise Refused(-1, "Проведенный документ не может быть помечен на удаление")
        for part, kinds in entity_set.parts.items():
            if part in changes:
                changes[part] = [_line(kinds, number, one) for number, one in enumerate(changes[part], 1)]
        row |= {field: value for field, value in changes.items() if field not in ("Ref_Key", "DataVersion")}
        if row.get("Posted"):
            self.stale.add(row["Ref_Key"])
        self._written(self, row)
        self._touch(row)
        return row

    def delete(self, entity_set: EntitySet, key: Key, *, version: str | None) -> None:
        """Gone for good: no mark is set (17.4.13.1.4)."""
        row = self.get(entity_set, key)
        if version is not None and version != row["DataVersion"]:
            raise Refused(None, "Версия данных изменилась", status=412)
        del self.rows[entity_set.name][key]

    def post(self, entity_set: EntitySet, key: Key, *, operational: bool) -> None:
        row = self.get(entity_set, key)
        if self.posting_fails:
            raise Refused(-1, self.posting_fails)
        if row["DeletionMark"]:
            raise Refused(-1, "Помеченный на удаление документ не может быть проведен")
        if operational and abs((datetime.fromisoformat(row["Date"]) - self.now()).total_seconds()) > 60:
            raise Refused(-1, "Оперативное проведение возможно только текущей датой")
        row["Posted"] = True
        self.stale.discard(row["Ref_Key"])
        self._touch(row)

    def unpost(self, entity_set: EntitySet, key: Key) -> None:
        row = self.get(entity_set, key)
        row["Posted"] = False
        self.stale.discard(row["Ref_Key"])
        self._touch(row)

    def checked(self, entity_set: EntitySet, body: Json) -> Json:
        """Return the fields that the entity has; others are ignored, as the document says (17.4.13.1.2)."""
        taken: Json = {}
        for field, kind in entity_set.fields.items():
            if field in body:
                taken[field] = _value(field, kind, body[field])
        for field, values in entity_set.enums.items():
            if taken.get(field) and taken[field] not in values:
                raise Refused(4, f"Неверное значение свойства {field}")
        for part, kinds in entity_set.parts.items():
            if part in body:
                if not isinstance(body[part], list):
                    raise Refused(4, f"Неверное значение свойства {part}")
                taken[part] = [_sent_line(part, kinds, row) for row in body[part]]
        return taken

    def _key(self, entity_set: EntitySet, row: Json) -> Key:
        return tuple(str(row[field]) for field in entity_set.keys)

    def _count(self, entity_set: EntitySet, row: Json) -> None:
        self._number += 1
        field = "Number" if entity_set.is_document else "Code"
        row[field] = row[field] or f"{self._number:09d}"
        self._touch(row)

    def _touch(self, row: Json) -> None:
        self._version += 1
        row["DataVersion"] = base64.b64encode(self._version.to_bytes(8, "big")).decode()


def _line(kinds: Fields, number: int, row: Json) -> Json:
    return {"LineNumber": number, **{field: EMPTY[kind] for field, kind in kinds.items()}, **row}


def _sent_line(part: str, kinds: Fields, row: object) -> Json:
    if not isinstance(row, dict):
        raise Refused(4, f"Неверное значение свойства {part}")
    if "LineNumber" not in row:
        raise Refused(5, f"Отсутствует обязательное значение свойства {part}/LineNumber")
    return {field: _value(field, kind, row[field]) for field, kind in kinds.items() if field in row}


def _value(field: str, kind: str, value: object) -> Any:
    """Check a value of a JSON body: plain strings for guids and dates, no zone, numbers or their texts."""
    if not _fits(kind, value):
        raise Refused(4, f"Неверное значение свойства {field}")
    if kind == "int":
        return int(str(value))
    return float(str(value)) if kind == "double" else value


def _fits(kind: str, value: object) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind in ("int", "double"):
        number = r"-?\d+" if kind == "int" else r"-?\d+(\.\d+)?"
        return not isinstance(value, bool) and re.fullmatch(number, str(value)) is not None
    if not isinstance(value, str):
        return False
    shape = {"guid": _GUID, "date": _DATE}.get(kind)
    return shape is None or shape.fullmatch(value) is not None
