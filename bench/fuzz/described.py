"""The routes against their own description: schemathesis draws requests from /openapi.json and looks at the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.core.failures import FailureGroup

from bench.fuzz.house import SECRET, House
from bench.fuzz.tally import Tally

_CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
_CALL_S = 45


async def fuzz_described(house: House, *, inputs: int, seed: int) -> Tally:
    """Ask every described operation about equally often, with the real tokens and with drawn ones."""
    tally, began = Tally(target="as /openapi.json says"), time.monotonic()
    stop = asyncio.Event()
    working = asyncio.create_task(_work(house, stop))
    try:
        await asyncio.to_thread(_ask_all, house, tally, inputs, seed)
    finally:
        stop.set()
        await working
    for failure in house.take_failures():
        tally.stick("the worker fails", of=failure)
    tally.seconds = time.monotonic() - began
    return tally


async def _work(house: House, stop: asyncio.Event) -> None:
    """Answer meanwhile what asks for an answer."""
    while not stop.is_set():
        for dialogue_id in await house.settle():
            await house.core.answers.ring(dialogue_id)
        await asyncio.sleep(0.02)


def _ask_all(house: House, tally: Tally, inputs: int, seed: int) -> None:
    schema = schemathesis.openapi.from_url(f"{house.url}/openapi.json")
    # A stream is no exchange of a request and an answer.
    operations = [one for one in _operations(schema) if "/stream/" not in one.path]
    for operation in operations:
        _ask(house, operation, tally, max(1, inputs // len(operations)), seed)


def _operations(schema: Any) -> list[Any]:
    """Return what is described. Raises what schemathesis says of a description that it cannot read."""
    return [one.ok() for one in schema.get_all_operations()]


def _ask(house: House, operation: Any, tally: Tally, count: int, seed: int) -> None:
    token, own = _credential(house, operation.path)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), st.integers(0, 3))
    def each(case: Any, whose: int) -> None:
        tally.inputs += 1
        if whose and token is not None:
            case.path_parameters["webhook_token"] = token
        try:
            response = case.call(headers=dict(own) if whose else {}, timeout=_CALL_S)
        except ValueError:
            # What cannot be put into a request at all.
            return
        told = (case.method, case.path, response.status_code, response.content[:300])
        if response.status_code >= 500:
            tally.server_error("schemathesis", of=(*told, case.body))
            return
        try:
            case.validate_response(response, checks=_CHECKS)
        except FailureGroup as error:
            tally.server_error(f"not as described: {error.exceptions[0]}"[:400], of=told)

    each()


def _credential(house: House, path: str) -> tuple[str | None, Mapping[str, str]]:
    """Return the token that stands in the path, and the headers, with which the route lets somebody in."""
    if "/telegram/" in path:
        return house.doors["telegram"].token, {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    if "/whatsapp/" in path:
        return house.doors["whatsapp"].token, {}
    if "/voice/" in path:
        return house.doors["gather"].token, {}
    if "/crm/" in path:
        return house.crm_token, {}
    if path.startswith("/process"):
        return None, {"Authorization": f"Bearer {house.doors['api'].token}"}
    return None, {"Authorization": f"Bearer {SECRET}"}
