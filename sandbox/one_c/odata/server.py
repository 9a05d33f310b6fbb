"""The standard OData interface over an infobase: addresses, authentication, reading, writing, posting.

After section 17.4 of the platform's documentation (8.3.27). What it leaves open is marked
"unknown" where it is decided.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import deque
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.faults import Faults
from sandbox.one_c.odata import answers
from sandbox.one_c.odata.base import Infobase, Json, Key
from sandbox.one_c.odata.expressions import compile_filter
from sandbox.one_c.odata.refusal import OURS, Refused
from sandbox.one_c.odata.schema import EntitySet

_RESOURCE = re.compile(
    r"(?P<set>\w+)(?:\((?P<key>[^)]*)\))?(?:/(?P<tail>[$\w]+)(?:\((?P<arguments>.*)\))?)?", re.DOTALL
)
_KEY_PART = re.compile(r"(?:(\w+)=)?(?:guid'([^']*)'|datetime'([^']*)'|'([^']*)'|(\w+))")


class OData:
    """The interface of one published base, below `{path}/odata/standard.odata`."""

    def __init__(self, base: Infobase, *, path: str, user: str, password: str) -> None:
        self.base = base
        self.faults = Faults()
        self.violations: list[Json] = []
        self.calls: deque[Json] = deque(maxlen=5000)
        self.changed = asyncio.Condition()
        self.seq = 0
        self._root = f"{path}/odata/standard.odata"
        self._credentials = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def add_routes(self, application: web.Application) -> None:
        application.router.add_route("*", self._root, self._guarded)
        application.router.add_route("*", self._root + "/{resource:.*}", self._guarded)

    async def _guarded(self, request: web.Request) -> web.StreamResponse:
        self.calls.append({"method": request.method, "path": request.path})
        if request.headers.get("Authorization") != self._credentials:
            headers = {"WWW-Authenticate": 'Basic realm="1C:Enterprise 8.3"'}
            return web.Response(status=401, text="Идентификация пользователя не выполнена", headers=headers)

        def planted(status: int, message: str) -> web.Response:
            code = -1 if status >= 500 else 20 if status in (401, 403) else 1
            return answers.error(request, Refused(code, message, status=status))

        return await self.faults.run(request, self._answer, planted)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            response = await self._route(request)
            if request.method != "GET":
                await self._tell()
            return response
        except Refused as refused:
            if refused.code in OURS:
                why = f"{refused.code}: {refused.message}"
                self.violations.append({"method": request.method, "path": request.path_qs, "why": why})
            return answers.error(request, refused)

    async def _tell(self) -> None:
        self.seq += 1
        async with self.changed:
            self.changed.notify_all()

    async def _route(self, request: web.Request) -> web.Response:
        if "+" in request.raw_path.partition("?")[2]:
            raise Refused(14, "Пробел в строке запроса записывают как %20")
        resource = request.match_info.get("resource", "")
        if not resource:
            return answers.service_document(request, sorted(self.base.switched_on))
        if resource == "$metadata":
            return answers.metadata(self.base)
        match = _RESOURCE.fullmatch(resource)
        if match is None:
            raise Refused(6, "Неверный URL")
        entity_set, part = self._find(match["set"])
        if part:
            return self._rows_of(request, entity_set, part)
        if match["key"] is None:
            return await self._set(request, entity_set, match["tail"], match["arguments"] or "")
        return await self._one(request, entity_set, _key_of(entity_set, match["key"]), match["tail"])

    def _find(self, name: str) -> tuple[EntitySet, str]:
        """Return the set, and the tabular part where the name is one's. Not switched on is not found."""
        for known in self.base.switched_on:
            one = self.base.sets[known]
            part = name.removeprefix(f"{known}_") if name != known else ""
            if name == known or part in one.parts:
                if known in self.base.forbidden:
                    raise Refused(20, "Недостаточно прав")
                return one, part
        raise Refused(8, f"Тип сущности {name} не найден")

    # ---- sets

    async def _set(self, request: web.Request, entity_set: EntitySet, tail: str | None, arguments: str) -> web.Response:
        if request.method == "POST" and tail is None:
            return await self._create(request, entity_set)
        if request.method != "GET":
            raise Refused(19, "Использованный HTTP-метод запрещен в данном контексте")
        rows = list(self.base.rows[entity_set.name].values())
        if tail == "SliceLast" and entity_set.period:
            rows = _slice_last(entity_set, rows, arguments, request.query)
        elif tail not in (None, "$count"):
            raise Refused(11, f"Метод {tail} не найден")
        rows = self._selected(request, entity_set, rows)
        if tail == "$count":
            return web.Response(text=str(len(rows)))
        count = None
        if request.query.get("$inlinecount") == "allpages":
            count = len(rows)  # and $skip and $top are ignored, as the document says (17.4.6.2)
        else:
            rows = _page(request, rows)
        select = request.query.get("$select", "")
        return answers.collection(request, entity_set, [answers.shown(entity_set, row, select) for row in rows], count)

    def _selected(self, request: web.Request, entity_set: EntitySet, rows: list[Json]) -> list[Json]:
        """Apply `$filter`, the rights on rows (17.4.5.4), and `$orderby`."""
        if text := request.query.get("$filter"):
            wanted = compile_filter(text, entity_set)
            rows = [row for row in rows if wanted(row)]
        seen = [row for row in rows if row.get("Ref_Key") not in self.base.hidden]
        asked = request.query.get("allowedOnly", request.query.get("$allowedOnly", ""))
        if len(seen) < len(rows) and asked != "true":
            raise Refused(20, "Недостаточно прав на записи выборки")
        for name, descending in reversed(_order(entity_set, request.query.get("$orderby", ""))):
            seen = sorted(seen, key=lambda row: row[name], reverse=descending)
        return seen

    def _rows_of(self, request: web.Request, entity_set: EntitySet, part: str) -> web.Response:
        """Rows of a tabular part over all owners: for reading only."""
        if request.method == "POST":
            raise Refused(13, "Создание строк табличных частей напрямую не поддерживается")
        if request.method != "GET":
            raise Refused(19, "Использованный HTTP-метод запрещен в данном контексте")
        fields = {"Ref_Key": "guid", "LineNumber": "int", **entity_set.parts[part]}
        lines = EntitySet(name=f"{entity_set.name}_{part}", fields=fields, keys=("Ref_Key", "LineNumber"))
        owners = self.base.rows[entity_set.name].values()
        rows = [{"Ref_Key": owner["Ref_Key"], **line} for owner in owners for line in owner[part]]
        rows = _page(request, self._selected(request, lines, rows))
        select = request.query.get("$select", "")
        return answers.collection(request, lines, [answers.shown(lines, row, select) for row in rows], None)

    async def _create(self, request: web.Request, entity_set: EntitySet) -> web.Response:
        if not entity_set.is_object:
            raise Refused(19, "Записи регистра доступны только на чтение")
        row = self.base.create(entity_set, await self._body(request))
        response = answers.entity(request, entity_set, answers.shown(entity_set, row, ""), status=201)
        path = f"{self._root}/{entity_set.name}(guid'{row['Ref_Key']}')"
        response.headers["Location"] = f"{request.url.origin()}{quote(path)}"
        return response

    # ---- one entity

    async def _one(self, request: web.Request, entity_set: EntitySet, key: Key, tail: str | None) -> web.Response:
        if tail is not None:
            return self._posting(request, entity_set, key, tail)
        version = request.headers.get("If-Match")
        if request.method == "GET":
            row = self.base.get(entity_set, key)
        elif request.method == "PATCH" and entity_set.is_object:
            row = self.base.patch(entity_set, key, await self._body(request), version=version)
        elif request.method == "DELETE" and entity_set.is_object:
            self.base.delete(entity_set, key, version=version)
            return web.Response(status=204)
        else:
            raise Refused(19, "Использованный HTTP-метод запрещен в данном контексте")
        select = request.query.get("$select", "") if request.method == "GET" else ""
        return answers.entity(request, entity_set, answers.shown(entity_set, row, select))

    def _posting(self, request: web.Request, entity_set: EntitySet, key: Key, tail: str) -> web.Response:
        """What a success answers is unknown: 200 without a body."""
        if not entity_set.is_document or tail not in ("Post", "Unpost"):
            raise Refused(11, f"Метод {tail} не найден")
        if request.method != "POST":
            raise Refused(19, "Использованный HTTP-метод запрещен в данном контексте")
        if tail == "Unpost":
            self.base.unpost(entity_set, key)
        else:
            mode = request.query.get("PostingModeOperational")
            if mode not in ("true", "false"):
                raise Refused(12, "Отсутствует обязательный аргумент PostingModeOperational")
            self.base.post(entity_set, key, operational=mode == "true")
        return web.Response()

    async def _body(self, request: web.Request) -> Json:
        if "1C_OData-DataLoadMode" in request.headers:
            raise Refused(17, "Объект не поддерживает режим загрузки данных")
        if "application/json" not in request.headers.get("Content-Type", ""):
            raise Refused(3, "Запрошенный тип представления не поддерживается")
        try:
            body: Any = await request.json()
        except ValueError:
            raise Refused(2, "Неверный формат запроса") from None
        if not isinstance(body, dict):
            raise Refused(2, "Неверный формат запроса")
        return body


def _key_of(entity_set: EntitySet, text: str) -> Key:
    """Read `guid'...'` or `Name=value,Name=value` (17.4.8)."""
    found: dict[str, str] = {}
    for match in _KEY_PART.finditer(text):
        name = match[1] or (entity_set.keys[0] if len(entity_set.keys) == 1 else "")
        found[name] = next((value for value in match.groups()[1:] if value is not None), "").lower()
    if set(found) != set(entity_set.keys):
        raise Refused(7, "Не хватает элемента ключа сущности")
    if entity_set.is_object and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found["Ref_Key"]):
        raise Refused(6, "Неверный URL")
    return tuple(found[name] for name in entity_set.keys)


def _slice_last(entity_set: EntitySet, rows: list[Json], arguments: str, query: Any) -> list[Json]:
    """Return the latest record of each set of dimensions. Parameters stand in brackets or in the query (17.4.9)."""
    period = re.search(r",?\s*Period=datetime'([^']+)'", arguments)
    rest = arguments.replace(period[0], "") if period else arguments
    condition = re.search(r"Condition='(.*)'", rest, re.DOTALL)
    text = condition[1] if condition else query.get("Condition", "")
    if text:
        wanted = compile_filter(text, entity_set)
        rows = [row for row in rows if wanted(row)]
    if period:
        rows = [row for row in rows if row["Period"] <= period[1]]
    latest: dict[tuple[str, ...], Json] = {}
    for row in sorted(rows, key=lambda one: str(one["Period"])):
        latest[tuple(str(row[name]) for name in entity_set.keys if name != "Period")] = row
    return list(latest.values())


def _order(entity_set: EntitySet, text: str) -> list[tuple[str, bool]]:
    order = []
    for part in filter(None, text.split(",")):
        name, _, direction = part.strip().partition(" ")
        if name not in entity_set.fields or direction.strip() not in ("", "asc", "desc"):
            raise Refused(10, f"Свойство {part.strip()} не найдено")
        order.append((name, direction.strip() == "desc"))
    return order


def _page(request: web.Request, rows: list[Json]) -> list[Json]:
    try:
        skip, top = int(request.query.get("$skip", "0")), int(request.query.get("$top", str(len(rows))))
    except ValueError:
        raise Refused(14, "Ошибка разбора опций запроса") from None
    return rows[skip:][:top]
