"""How pages are made: templates with what every one of them needs, whole or in part, and failures in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web

from bot.console.assets import Assets
from bot.console.rights import Page, may_open
from bot.console.visitor import find_visitor
from locales import Translator

_TEMPLATES = Path(__file__).with_name("templates")
_UNREADABLE = "console-fault-unreadable"
_FAULTS = {
    401: "console-fault-sign-in",
    403: "console-fault-forbidden",
    404: "console-fault-not-found",
    413: "console-fault-too-large",
    429: "console-fault-too-many",
    503: "console-fault-unavailable",
}
_SEEN = 16


def set_up(application: web.Application, assets: Assets) -> None:
    """Let an application draw our templates. What is put into them is escaped."""

    aiohttp_jinja2.setup(
        application,
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment = aiohttp_jinja2.get_env(application)
    environment.globals["asset"] = lambda name: f"/console/static/{assets.names[name]}"


def page(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """Return a page, or a part of one."""
    return aiohttp_jinja2.render_template(template, request, {**_common(request), **context}, status=status)


def piece(request: web.Request, template: str, **context: Any) -> str:
    """Return a part of a page as text."""
    return aiohttp_jinja2.render_string(template, request, {**_common(request), **context})


def live(request: web.Request, template: str, **context: Any) -> tuple[str, str]:
    """Return a part of a page that is asked for again and again, and what tells whether it is still the same."""
    drawn = piece(request, template, **context)
    return drawn, sha256(drawn.encode()).hexdigest()[:_SEEN]


def fault_page(request: web.Request, status: int) -> web.Response:
    """Say what went wrong, and nothing of what is inside."""
    return page(request, "fault.html", status=status, title="", told=_FAULTS.get(status, _UNREADABLE))


def words_for(request: web.Request) -> Translator:
    """Return the company's words; before the gate, those of the browser's first language that we speak."""
    visitor = find_visitor(request)
    if visitor is not None:
        return visitor.texts
    wanted = (part.split(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(","))
    found = next((one for part in wanted if (one := Translator.find_language(part))), None)
    return Translator.for_language(found)


def day_of(written: str | None, default: date) -> date:
    """Read a day out of an address; what is none is today."""
    try:
        return date.fromisoformat(written or "")
    except ValueError:
        return default


def _common(request: web.Request) -> dict[str, Any]:
    texts, visitor = words_for(request), find_visitor(request)
    return {
        "me": visitor,
        "t": texts.text,
        "language": texts.language,
        "csrf": visitor.csrf if visitor else "",
        "nav": _nav(request) if visitor else [],
    }


def first_page(request: web.Request) -> str:
    """Return where somebody who is signed in begins."""
    return str(_nav(request)[0]["url"])


def _nav(request: web.Request) -> list[Mapping[str, Any]]:
    visitor = find_visitor(request)
    return [
        {"name": one.value, "url": f"/console/{one}", "here": request.path.startswith(f"/console/{one}")}
        for one in Page
        if visitor is not None and may_open(visitor.member, one)
    ]
