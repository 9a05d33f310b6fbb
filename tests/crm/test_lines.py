"""Outgoing addresses: which a company leaves by, what is never shown, and that a slow host leaves room for others."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.settings import SettingsError, load_settings, tenant_settings
from crm.addresses import Reach
from crm.errors import CRMUnavailable
from crm.guard import Caller
from crm.http import Answer, Call, CRMConnection, CRMHttp, Limit, TimeLimits
from crm.lines import Line, line_of

PROXY = "http://user:very-secret@proxy.example:3128"
WRITE = Call(operation="create", method="POST", path="/services", safe=False)


def lines(*texts: str) -> list[Line]:
    return [Line.of(SecretStr(text)) for text in texts]


def test_a_company_always_leaves_by_the_same_line_and_companies_are_spread() -> None:
    three = lines("http://a.example:1", "http://b.example:1", "10.0.0.7")
    chosen = {f"company-{number}": line_of(three, f"company-{number}") for number in range(300)}
    counted = Counter(line.name for line in chosen.values())

    assert chosen == {company: line_of(list(reversed(three)), company) for company in chosen}
    assert len(counted) == 3
    assert min(counted.values()) > 60


def test_a_line_that_is_added_moves_only_the_companies_that_it_takes() -> None:
    two, third = lines("http://a.example:1", "http://b.example:1"), lines("http://c.example:1")
    for number in range(100):
        company = f"company-{number}"
        assert line_of([*two, *third], company) in (line_of(two, company), *third)


@pytest.mark.parametrize("text", ["ftp://a.example", "a.example:3128", "http://", "http://a:99999", "10.0.0.300"])
def test_what_is_no_line_stops_the_start_and_is_not_shown(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_ADMIN_CRM_PROXIES", f"{PROXY},{text}")

    with pytest.raises(SettingsError, match="AI_ADMIN_CRM_PROXIES") as refused:
        load_settings({}, env_file=None)
    for shown in ("very-secret", "proxy.example", "a.example", "99999", "300"):
        assert shown not in str(refused.value)


def test_the_lines_are_the_platforms_own_setting_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_ADMIN_CRM_PROXIES", f" {PROXY} , 10.0.0.7,")
    settings = load_settings({}, env_file=None)

    assert [line.local_address for line in map(Line.of, settings.crm_proxies)] == [None, "10.0.0.7"]
    assert tenant_settings({"AI_ADMIN_CRM_PROXIES": PROXY}, env_file=None) == {}
    for shown in (repr(settings), repr(Line.of(SecretStr(PROXY)))):
        assert "very-secret" not in shown
        assert "proxy.example" not in shown


async def test_calls_go_through_the_companys_proxy_and_are_counted_for_it(clock: Any, pace: Any, listen: Any) -> None:
    """A proxy is asked for the whole address; this one answers by itself."""
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response({"ok": True})

    url = (await listen("/{tail:.*}", proxy)).rstrip("/")
    given = lines(url)
    async with CRMHttp(clock=clock, lines=given, reach=Reach(loopback=True)) as http:
        connection = connect(http.of(Caller(company="elita", account="one")), pace, "http://crm.example")
        await connection.call(WRITE, lambda answer: answer.json())

    assert asked == ["http://crm.example/services"] or asked == ["/services"]
    assert [(line, company) for line, company, _ in pace.turns] == [(given[0].name, "elita")]


async def test_an_error_never_shows_the_proxy(clock: Any, pace: Any) -> None:
    async with CRMHttp(
        clock=clock, lines=lines("http://user:very-secret@127.0.0.1:1"), reach=Reach(loopback=True)
    ) as http:
        connection = connect(http.of(Caller(company="elita", account="one")), pace, "http://crm.example")
        with pytest.raises(CRMUnavailable) as failed:
            await connection.call(WRITE, Answer.json)

    assert "very-secret" not in str(failed.value)


async def test_a_host_that_hangs_leaves_connections_to_the_others(clock: Any, pace: Any, listen: Any) -> None:
    until, hung = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        hung.set()
        await until.wait()
        return web.json_response({})

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({})

    slow, well = [(await listen("/services", one)).rstrip("/") for one in (hang, answer)]
    limits = TimeLimits(connect=timedelta(seconds=0.2), read=timedelta(seconds=20), write=timedelta(seconds=20))
    async with CRMHttp(clock=clock, time_limits=limits, max_connections=4, reach=Reach(loopback=True)) as http:
        at_slow, at_well = connect(http, pace, slow), connect(http, pace, well)
        waiting = asyncio.create_task(at_slow.call(WRITE, Answer.json))
        await hung.wait()
        with pytest.raises(CRMUnavailable, match="not sent, no connection came free"):
            await at_slow.call(WRITE, Answer.json)
        assert await at_well.call(WRITE, Answer.json) == {}
        until.set()
        assert await waiting == {}


def connect(http: CRMHttp, pace: Any, url: str) -> CRMConnection:
    limits = (Limit(name="test:second", rate=4, per=timedelta(seconds=1), burst=1),)
    return CRMConnection(http, crm="test", base_url=url, secrets=[], pace=pace, limits=limits)
