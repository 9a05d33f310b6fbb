"""A company's settings open no door into our own network, whatever a name answers and however often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from crm.addresses import AddressRefused, Reach, is_public, require_safe
from crm.errors import CRMNotConfigured, CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp
from crm.lines import Line

READ = Call(operation="services", method="POST", path="/services", safe=True)
ADDRESSES_OF_OURS = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104
    "10.0.0.5",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.5",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:5::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "nonsense",
]


@dataclass
class Names:
    """A resolver that answers each name's lists one after another, and the last one from then on."""

    known: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.known.get(host)
        if answers is None:
            raise OSError("unknown name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.mark.parametrize("address", ADDRESSES_OF_OURS)
def test_what_is_not_a_machine_of_the_public_internet_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "213.180.193.1", "2a02:6b8::2:242", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_machines_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ADDRESSES_OF_OURS[:-1])
async def test_a_name_that_leads_to_us_is_refused(address: str) -> None:
    reach = Reach(resolve=Names({"crm.example": [[address]]}))
    with pytest.raises(AddressRefused, match="AI_ADMIN_ALLOWED_PRIVATE_HOSTS"):
        await reach.find("crm.example", 443)


async def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(AddressRefused):
        await Reach(resolve=Names({"crm.example": [["8.8.8.8", "10.0.0.5"]]})).find("crm.example", 443)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1", "[::1]", "LOCALHOST", "localhost."])
async def test_other_ways_of_writing_this_machine_are_refused(host: str) -> None:
    """By the system's own resolver, which knows them all without asking anybody."""
    with pytest.raises(AddressRefused):
        await Reach().find(host, 443)


async def test_an_admin_allows_by_name_and_only_this_name() -> None:
    names = Names({"1c.office.example": [["10.0.0.5"]], "other.office.example": [["10.0.0.5"]]})
    reach = Reach(allowed=frozenset({"1c.office.example"}), resolve=names)

    assert await reach.find("1C.Office.Example.", 443) == ["10.0.0.5"]
    with pytest.raises(AddressRefused):
        await reach.find("other.office.example", 443)
    with pytest.raises(AddressRefused):
        await Reach(allowed=reach.allowed, resolve=Names({"10.0.0.5": [["10.0.0.5"]]})).find("10.0.0.5", 443)


async def test_this_machine_is_reached_in_development_by_its_own_names_only() -> None:
    names = Names({"localhost": [["127.0.0.1"]], "crm.example": [["127.0.0.1"]]})

    assert await Reach(loopback=True, resolve=names).find("localhost", 80) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        await Reach(loopback=True, resolve=names).find("crm.example", 80)


@pytest.fixture
async def crm(listen: Any) -> tuple[int, list[str]]:
    """A server on this machine: its port, and the hosts that it was asked under."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.host)
        return web.json_response({"ok": True})

    url = await listen("/services", answer)
    return int(url.rstrip("/").rsplit(":", 1)[1]), asked


async def test_the_connection_goes_to_the_address_that_was_looked_at(clock: Any, pace: Any, crm: Any) -> None:
    """The name is asked once: what it answers later (DNS rebinding) is never connected to."""
    port, asked = crm
    names = Names({"crm.example": [["127.0.0.1"], ["192.0.2.1"]]})
    reach = Reach(allowed=frozenset({"crm.example"}), resolve=names)
    async with CRMHttp(clock=clock, reach=reach) as http:
        answer = await _connect(http, pace, f"http://crm.example:{port}").call(READ, Answer.json)

    assert answer == {"ok": True}
    assert names.asked == ["crm.example"]
    assert asked == [f"crm.example:{port}"]


async def test_a_name_that_changes_its_mind_is_looked_at_again_and_refused() -> None:
    """Each new connection resolves, and looks at what it found."""
    reach = Reach(resolve=Names({"crm.example": [["8.8.8.8"], ["127.0.0.1"]]}))

    assert await reach.find("crm.example", 443) == ["8.8.8.8"]
    with pytest.raises(AddressRefused):
        await reach.find("crm.example", 443)


async def test_nothing_of_a_refused_call_is_sent_and_it_is_not_tried_again(clock: Any, pace: Any, crm: Any) -> None:
    port, asked = crm
    names = Names({"127.0.0.1": [["127.0.0.1"]]})
    async with CRMHttp(clock=clock, reach=Reach(resolve=names)) as http:
        with pytest.raises(AddressRefused):
            await _connect(http, pace, f"http://127.0.0.1:{port}").call(READ, Answer.json)

    assert asked == []
    assert names.asked == ["127.0.0.1"]


async def test_a_redirect_is_not_followed(clock: Any, pace: Any, listen: Any) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/secret")

    url = (await listen("/{tail:.*}", answer)).rstrip("/")
    async with CRMHttp(clock=clock, reach=Reach(loopback=True)) as http:
        status = await _connect(http, pace, url).call(READ, lambda answer: answer.status)

    assert status == 302
    assert len(asked) == 1


async def test_over_a_proxy_a_private_name_is_refused_too(clock: Any, pace: Any, listen: Any) -> None:
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({})

    url = (await listen("/{tail:.*}", proxy)).rstrip("/")
    names = Names({"crm.example": [["10.0.0.5"]]})
    async with CRMHttp(clock=clock, lines=[Line.of(SecretStr(url))], reach=Reach(resolve=names)) as http:
        http.line = Line.of(SecretStr(url))
        with pytest.raises(AddressRefused):
            await _connect(http, pace, "http://crm.example").call(READ, Answer.json)

    assert asked == []


async def test_an_unknown_name_is_a_crm_that_is_away(clock: Any, pace: Any) -> None:
    async def pause(seconds: float) -> None:
        return

    async with CRMHttp(clock=clock, reach=Reach(resolve=Names({})), sleep=pause) as http:
        with pytest.raises(CRMUnavailable, match="cannot be resolved"):
            await _connect(http, pace, "https://crm.example").call(READ, Answer.json)


async def test_the_next_address_is_tried_where_the_first_does_not_answer(clock: Any, pace: Any, crm: Any) -> None:
    port, _ = crm
    names = Names({"crm.example": [["::1", "127.0.0.2", "127.0.0.1"]]})
    reach = Reach(allowed=frozenset({"crm.example"}), resolve=names)
    async with CRMHttp(clock=clock, reach=reach) as http:
        assert await _connect(http, pace, f"http://crm.example:{port}").call(READ, Answer.json) == {"ok": True}


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example",
        "ftp://crm.example",
        "https://user:word@crm.example",
        "https://crm.example/?a=b",
        "https://",
    ],
)
def test_what_is_not_a_plain_https_address_is_refused_when_it_is_typed(url: str) -> None:
    with pytest.raises(CRMNotConfigured):
        require_safe(url, crm="1c", field="base_url")


def _connect(http: CRMHttp, pace: Any, url: str) -> CRMConnection:
    return CRMConnection(http, crm="test", base_url=url, secrets=[], pace=pace, limits=[])
