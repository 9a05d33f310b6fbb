"""The envelope, refusals, and PHP's ways with lists."""

from __future__ import annotations

from typing import Any

from aiohttp import web

Json = dict[str, Any]


class Refused(Exception):
    """A failure as the envelope tells it; `code` is the booking code, where there is one."""

    def __init__(self, status: int, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


def answer(data: Any, *, status: int = 200, meta: Json | None = None) -> web.Response:
    """Return the envelope; an empty `meta` is a list, as PHP writes an empty array."""
    return web.json_response({"success": True, "data": data, "meta": meta or []}, status=status)


def listed(request: web.Request, name: str) -> list[int]:
    """Read `name[]=1&name[]=2`; without the brackets the parameter is silently not there."""
    return [int(value) for value in request.query.getall(f"{name}[]", [])]


def numbered(request: web.Request, name: str) -> int | None:
    value = request.query.get(name, "")
    return int(value) if value else None
