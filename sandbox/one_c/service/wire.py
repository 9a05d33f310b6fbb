"""What the service takes and refuses: bodies, queries, errors. Written from docs/crm-1c.md."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web

from sandbox.staff_side import Json

BOM = b"\xef\xbb\xbf"
NO_LICENCE = "<html><body><h1>Не обнаружена свободная лицензия!</h1></body></html>"
_WALL_CLOCK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Refused(Exception):
    """What is answered with the contract's error; `malformed`: the caller broke the contract."""

    def __init__(self, status: int, code: str, message: str, *, malformed: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.malformed = malformed


def invalid(message: str) -> Refused:
    return Refused(400, "invalid", message, malformed=True)


def not_found(what: str) -> Refused:
    return Refused(404, "not_found", f"{what}: не найдено")


def error(refused: Refused) -> Json:
    return {"error": {"code": refused.code, "message": str(refused)}}


def exception_page(status: int, _: str) -> web.StreamResponse:
    """Return what the platform answers for an exception that nobody caught: plain text."""
    text = "{HTTPСервис.AIAdmin.Модуль(214)}: Поле объекта не обнаружено (Цена)"
    return web.Response(text=text, status=status, content_type="text/plain", charset="utf-8")


def no_such_template() -> web.Response:
    """Return what the platform answers for an address that no URL template of the service has."""
    return web.Response(text="Не найден", status=404, content_type="text/plain", charset="utf-8")


def written(value: Json, *, status: int, bom: bool, numbers_as_text: bool) -> web.Response:
    body = json.dumps(_texts(value) if numbers_as_text else value, ensure_ascii=False).encode()
    return web.Response(
        body=(BOM if bom else b"") + body, status=status, content_type="application/json", charset="utf-8"
    )


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


async def body_of(request: web.Request, shape: Mapping[str, type | tuple[type, ...]]) -> Json:
    """Return a JSON object that has these fields and no others. Raises Refused."""
    if request.content_type != "application/json" or (request.charset or "").lower() != "utf-8":
        raise invalid("Content-Type: нужно application/json; charset=utf-8")
    try:
        body = json.loads((await request.read()).decode("utf-8"))
    except ValueError:
        raise invalid("тело: не JSON в UTF-8") from None
    return fields_of(body, shape, where="тело")


def fields_of(value: Any, shape: Mapping[str, type | tuple[type, ...]], *, where: str) -> Json:
    if not isinstance(value, dict):
        raise invalid(f"{where}: нужен объект")
    if unknown := value.keys() - shape.keys():
        raise invalid(f"{where}: неизвестные поля {sorted(unknown)}")
    for name, kind in shape.items():
        given = value.get(name)
        if not isinstance(given, kind) or (isinstance(given, bool) and kind is not bool):
            raise invalid(f"{where}: поле {name} не задано или не того типа")
    return value


def query_of(request: web.Request, known: Collection[str], needed: Collection[str] = ()) -> Mapping[str, str]:
    """Return the query, each name once. Raises Refused for unknown, repeated and missing ones."""
    names = [name for name, _ in request.query.items()]
    if unknown := set(names) - {*known, *needed}:
        raise invalid(f"неизвестные параметры {sorted(unknown)}")
    if len(names) != len(set(names)):
        raise invalid("параметр передан дважды: в платформе остался бы один")
    if missing := [name for name in needed if not request.query.get(name)]:
        raise invalid(f"не заданы параметры {missing}")
    return request.query


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid("дата: нужно ГГГГ-ММ-ДД") from None


def wall_clock(text: str) -> datetime:
    """Read a time as the contract writes it: to the second, without a zone."""
    if not _WALL_CLOCK.fullmatch(text):
        raise invalid("время: нужно ГГГГ-ММ-ДДTчч:мм:сс без пояса")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid("время: такого нет") from None


def guid_of(kind: str, name: str) -> str:
    """Name a thing of the base: the same guid for the same thing in every run."""
    return str(uuid5(NAMESPACE_URL, f"{kind}/{name}"))


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def key_of(request: web.Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise invalid("Idempotency-Key: нужен, до 64 латинских букв, цифр, '-' и '_'")
    return key


def digits_of(phone: str) -> str:
    """Return a phone's digits as the base compares them: Russian numbers typed with 8 are those with 7."""
    digits = "".join(filter(str.isdigit, phone))
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
