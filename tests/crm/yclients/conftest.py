"""A branch's adapter made as production makes it: by the factory, from settings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from crm.base import BaseCRMAdapter
from crm.http import CRMHttp
from crm.registry import CRMFactory

TOKENS = {"partner_token": "partner-token-1", "user_token": "user-token-1"}
FIXTURES = Path(__file__).parent / "fixtures"
Make = Callable[..., BaseCRMAdapter]


@pytest.fixture
def factory(http: CRMHttp, pace: Any, cache: Any, clock: Any) -> CRMFactory:
    return CRMFactory(http, pace, cache, clock)


@pytest.fixture
def make(factory: CRMFactory) -> Make:
    """Make an adapter for an address; tokens, branch and settings may be named."""

    def making(
        api_url: str,
        *,
        secrets: Mapping[str, str] = TOKENS,
        account_id: str | None = "4564",
        time_zone: str = "Europe/Moscow",
        **options: str,
    ) -> BaseCRMAdapter:
        return factory.create(
            "yclients",
            options={"api_url": api_url, **options},
            secrets={name: SecretStr(value) for name, value in secrets.items()},
            account_id=account_id,
            time_zone=time_zone,
        )

    return making


class Vendor:
    """Gives back recorded answers by method and first word of the path; remembers what it was sent."""

    def __init__(self, published: Callable[[str], Any]) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "GET company": (200, published("company__published")),
            "GET book_services": (200, published("book_services__published")),
            "GET book_staff": (200, published("book_staff__published")),
            "GET book_dates": (200, published("book_dates__published")),
            "GET book_times": (200, published("book_times__published")),
            "POST book_check": (201, {"success": True, "data": None, "meta": []}),
            "POST company": (200, {"success": True, "data": [], "meta": {"total_count": 0}}),
            "POST records": (201, published("create_record__published")),
            "GET record": (200, published("record__published")),
            "GET records": (200, {"success": True, "data": [], "meta": {"page": 1, "total_count": 0}}),
            "GET user": (200, published("permissions__published")),
        }
        self.sent: list[tuple[str, web.Request, Any]] = []
        self.after: dict[str, tuple[str, tuple[int, Any]]] = {}
        """By request: which answer changes once it was made."""

    async def handle(self, request: web.Request) -> web.Response:
        name = f"{request.method} {request.path.removeprefix('/api/v1/').split('/')[0]}"
        self.sent.append((name, request, await request.json() if request.can_read_body else None))
        status, body = self.answers.get(
            name, (404, {"success": False, "data": None, "meta": {"message": "Не найдено"}})
        )
        if name in self.after:
            changing, answer = self.after[name]
            self.answers[changing] = answer
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.Response(status=status) if body is None else web.json_response(body, status=status)


@pytest.fixture
def published() -> Callable[[str], Any]:
    """Read an answer as the vendor publishes it."""
    return lambda name: json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def vendor(published: Callable[[str], Any]) -> Vendor:
    return Vendor(published)


@pytest.fixture
async def adapter(vendor: Vendor, make: Make) -> AsyncIterator[BaseCRMAdapter]:
    """Open the branch over a vendor that gives back recorded answers."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", vendor.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield make(f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()
