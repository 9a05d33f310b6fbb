"""Answers in both representations: JSON where it was asked for, else Atom XML; errors and the metadata too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape  # writing only

from aiohttp import web

from sandbox.one_c.odata.base import Infobase, Json
from sandbox.one_c.odata.refusal import Refused
from sandbox.one_c.odata.schema import EDM, EntitySet, Fields

_ATOM = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
    'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
)


def wants_json(request: web.Request) -> bool:
    """`$format=json`, its long names, or the Accept header; anything else is Atom (17.4.2)."""
    asked = request.query.get("$format", "")
    return "json" in asked or (not asked and "application/json" in request.headers.get("Accept", ""))


def collection(request: web.Request, entity_set: EntitySet, rows: Sequence[Json], count: int | None) -> web.Response:
    if not wants_json(request):
        counted = f"<m:count>{count}</m:count>" if count is not None else ""
        return _xml(f"<feed {_ATOM}>{''.join(map(_entry, rows))}{counted}</feed>")
    body: Json = _metadata(request, entity_set.name)
    if count is not None:
        body["odata.count"] = str(count)
    return _json({**body, "value": list(rows)})


def entity(request: web.Request, entity_set: EntitySet, row: Json, *, status: int = 200) -> web.Response:
    if not wants_json(request):
        return _xml(_entry(row), status=status)
    return _json({**_metadata(request, f"{entity_set.name}/@Element"), **row}, status=status)


def shown(entity_set: EntitySet, row: Json, select: str) -> Json:
    """Return the wanted properties; integers go out as texts, as Edm.Int64 does."""
    everything = [*entity_set.fields, *entity_set.parts]
    wanted = [name.strip() for name in select.split(",")] if select else ["*"]
    names = everything if "*" in wanted else list(entity_set.fields) if "**" in wanted else wanted
    unknown = [name for name in names if name not in everything]
    if unknown:
        raise Refused(10, f"Свойство {unknown[0]} не найдено")
    values: Json = {}
    for name in names:
        if name in entity_set.parts:
            values[name] = [_texts(entity_set.parts[name], line) for line in row[name]]
        else:
            values[name] = _text(entity_set.fields[name], row[name])
    return values


def error(request: web.Request, refused: Refused) -> web.Response:
    """A status without a code (412) comes with a bare text."""
    if refused.code is None:
        return web.Response(text=refused.message, status=refused.status)
    if wants_json(request):
        told = {"code": str(refused.code), "message": {"lang": "ru", "value": refused.message}}
        return _json({"odata.error": told}, status=refused.status)
    text = f"<m:code>{refused.code}</m:code><m:message>{escape(refused.message)}</m:message>"
    scheme = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
    return _xml(f'<m:error xmlns:m="{scheme}">{text}</m:error>', status=refused.status)


def service_document(request: web.Request, names: Iterable[str]) -> web.Response:
    if wants_json(request):
        return _json({"value": [{"name": name, "url": name} for name in names]})
    rows = "".join(f'<collection href="{name}"><atom:title>{name}</atom:title></collection>' for name in names)
    return _xml(
        '<service xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<workspace><atom:title>Default</atom:title>{rows}</workspace></service>"
    )


def metadata(base: Infobase) -> web.Response:
    """XML whatever was asked (17.4.7). Only what is switched on is described."""
    types = []
    for name in sorted(base.switched_on):
        one = base.sets[name]
        keys = "".join(f'<PropertyRef Name="{key}"/>' for key in one.keys)
        parts = "".join(
            f'<Property Name="{part}" Type="Collection(StandardODATA.{name}_{part}_RowType)"/>' for part in one.parts
        )
        types.append(f'<EntityType Name="{name}"><Key>{keys}</Key>{_properties(one.fields)}{parts}</EntityType>')
        for part, kinds in one.parts.items():
            fields = _properties({"LineNumber": "int", **kinds})
            types.append(f'<ComplexType Name="{name}_{part}_RowType">{fields}</ComplexType>')
    sets = "".join(f'<EntitySet Name="{name}" EntityType="StandardODATA.{name}"/>' for name in sorted(base.switched_on))
    return _xml(
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>'
        '<Schema Namespace="StandardODATA" xmlns="http://schemas.microsoft.com/ado/2009/11/edm">'
        f'{"".join(types)}<EntityContainer Name="EnterpriseV8">{sets}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>",
        kind="application/xml",
    )


def _properties(fields: Fields) -> str:
    return "".join(f'<Property Name="{name}" Type="{EDM[kind]}"/>' for name, kind in fields.items())


def _metadata(request: web.Request, what: str) -> Json:
    if "nometadata" in request.query.get("$format", ""):
        return {}
    return {"odata.metadata": f"{request.url.origin()}{request.path.partition('/odata/')[0]}/$metadata#{what}"}


def _text(kind: str, value: Any) -> Any:
    return str(value) if kind == "int" else value


def _texts(kinds: Fields, line: Json) -> Json:
    return {name: _text("int" if name == "LineNumber" else kinds[name], value) for name, value in line.items()}


def _entry(row: Json) -> str:
    values = "".join(
        f"<d:{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</d:{name}>"
        for name, value in row.items()
        if not isinstance(value, list)
    )
    return f'<entry {_ATOM}><content type="application/xml"><m:properties>{values}</m:properties></content></entry>'


def _json(body: Json, *, status: int = 200) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type="application/json", charset="utf-8")


def _xml(text: str, *, status: int = 200, kind: str = "application/atom+xml") -> web.Response:
    whole = f'<?xml version="1.0" encoding="UTF-8"?>{text}'
    return web.Response(text=whole, status=status, content_type=kind, charset="utf-8")
