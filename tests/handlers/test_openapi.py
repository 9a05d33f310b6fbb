"""The description of our routes says what is there, and all of it; what is answered is what it says."""

from __future__ import annotations

import json
from dataclasses import replace

import aiohttp
import jsonschema_rs
import pytest
from aiohttp import web

from bot.app import build_gateway
from bot.gateway import build_application
from bot.roles import voice_routes
from bot.worker_app import open_worker
from db.records import ChannelType
from handlers.openapi import describe

METHODS = {"get", "post", "put", "delete", "patch", "head", "options"}


@pytest.fixture
async def mounted(core):
    """The routes of a gateway with a worker beside it, as `ai-admin serve` mounts them, by path and method."""
    settings = core.settings.model_copy(update={"public_url": "https://voice.example"})
    core = replace(core, settings=settings)
    async with open_worker(core) as app:
        application = build_gateway(core, more=voice_routes(core, app))._runner.app
        yield {
            (route.resource.canonical, route.method.lower())
            for route in application.router.routes()
            if route.method != "HEAD"
        }


def described():
    return {(path, method) for path, item in describe()["paths"].items() for method in item if method in METHODS}


async def test_every_route_is_described_and_every_description_is_a_route(mounted):
    assert described() == mounted


def test_the_description_is_one_that_tools_can_read():
    description = describe()

    assert description["openapi"] == "3.1.0"
    for schema in description["components"]["schemas"].values():
        jsonschema_rs.validator_for({**schema, "components": description["components"]})
    assert "$defs" not in json.dumps(description)


@pytest.fixture
async def ask(core):
    """Ask a gateway, and hold what it answers against the description of the path; return the status."""
    company_channel = await _api_channel(core)
    gateway = build_gateway(core)
    url = await gateway.start()
    async with aiohttp.ClientSession() as session:

        async def asked(path, *, method="get", of=None, **options):
            async with session.request(method, f"{url}{path}", **options) as response:
                operation = describe()["paths"][of or path][method]
                told = operation["responses"][str(response.status)]["content"]
                assert response.content_type in told, "another kind of answer than is described"
                if response.content_type == "application/json":
                    schema = told["application/json"]["schema"]
                    jsonschema_rs.validate({**schema, "components": describe()["components"]}, await response.json())
                return response.status

        asked.token = company_channel
        yield asked
    await gateway.stop()


async def _api_channel(core):
    from db.records import AgentSettings, Branch, BranchId, Company, CompanyId, new_id

    company = Company(id=CompanyId(new_id()), slug="elita", name="E")
    await core.companies.create_company(
        company, AgentSettings(), [Branch(id=BranchId(new_id()), key="main", name="E", time_zone="UTC")]
    )
    _, token = await core.companies.add_channel(
        company.id, ChannelType.API, external_id="api", name="api", options={}, secrets={}
    )
    return token


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json"])
async def test_operators_are_answered_as_described(ask, path):
    assert await ask(path) == 200


async def test_anybody_may_read_the_description(ask, core):
    assert await ask("/openapi.json", headers={"X-Forwarded-For": "1.2.3.4"}) == 200


@pytest.mark.parametrize("prefix", ["/api", ""])
@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "crm"])
async def test_unknown_tokens_are_answered_as_described(ask, prefix, channel):
    path = f"{prefix}/v1/{channel}/webhook"

    assert await ask(f"{path}/nobody", method="post", of=f"{path}/{{webhook_token}}", json={}) == 404


async def test_a_channel_of_ones_own_is_answered_as_described(ask):
    mine = {"Authorization": f"Bearer {ask.token}"}

    assert await ask("/process", method="post", json={}) == 401
    assert await ask("/process", method="post", json={}, headers=mine) == 400
    assert await ask("/process", method="post", json={"message_id": "1", "client_id": "1"}, headers=mine) == 400
    assert await ask("/process/none", of="/process/{message_id}", headers=mine) == 404


async def test_a_replied_message_is_answered_as_described(house):
    _, token = await house.core.companies.add_channel(
        house.company_id, ChannelType.API, external_id="api", name="api", options={}, secrets={}
    )
    house.core.directory.forget(house.company_id)
    body = {"message_id": "1", "client_id": "1", "text": "записаться"}
    schema = {"$ref": "#/components/schemas/Answered", "components": describe()["components"]}
    async with aiohttp.ClientSession() as session:
        mine = {"Authorization": f"Bearer {token}"}
        async with session.post(f"{house.url}/process", json=body, headers=mine) as response:
            answer = await response.json()

    assert response.status == 200
    assert answer["replies"]
    jsonschema_rs.validate(schema, answer)


async def test_a_route_that_is_not_described_would_be_noticed():
    async def forgotten(request):
        return web.Response()

    application = build_application([web.get("/forgotten", forgotten)])

    assert {(route.resource.canonical, "get") for route in application.router.routes()} == {("/forgotten", "get")}
    assert ("/forgotten", "get") not in described()
