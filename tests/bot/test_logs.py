"""What is logged: events in JSON, and of one company more or less than of the others, for a time."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timedelta
from io import StringIO

import pytest
import structlog

from bot.logs import set_up_logs, write_access_line
from bot.settings import LogFormat
from db.records import new_id
from handlers.log_levels import LogLevels, at_level


@pytest.fixture
def lines(monkeypatch):
    kept, written = structlog.get_config(), StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up_logs(LogFormat.JSON)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    structlog.configure(**kept)


@pytest.fixture
def logged(lines):
    return lambda: [line["event"] for line in lines()]


def test_a_line_is_json_and_what_is_below_the_level_is_not_written(logged):
    log = structlog.get_logger()
    log.debug("detail")
    log.info("done")
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("failed")

    assert logged() == ["done", "failed"]


def test_of_a_company_with_a_level_of_its_own_more_is_written_or_less(logged):
    log = structlog.get_logger()
    with at_level(10):
        log.debug("detail")
    with at_level(40):
        log.info("hushed")
        log.error("failed")
    log.debug("detail of another")
    log.info("done")

    assert logged() == ["detail", "failed", "done"]


async def test_an_access_line_is_what_the_chain_would_have_written(lines):
    with structlog.contextvars.bound_contextvars(
        request_id="r1", route="/x", company_id="c1", client_phone="+79160000000"
    ):
        structlog.get_logger().info("request", method="POST", status=200, took_ms=1.5, text="what a client wrote")
        for _ in range(2):
            write_access_line(method="POST", status=200, took_ms=1.5, text="what a client wrote")
    await asyncio.sleep(0)

    chain, *quick = lines()
    assert len(quick) == 2
    for line in (chain, *quick):
        assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert quick == [chain, chain]
    assert "what a client wrote" not in str(chain)
    assert "79160000000" not in str(chain)


async def test_a_companys_level_holds_in_every_process_until_its_time_is_over(core, clock, channel):
    levels, until = LogLevels(core.directory, clock), clock() + timedelta(minutes=30)
    assert await levels.find(channel.company_id) is None

    await core.companies.set_log_level(channel.company_id, "debug", until=until)
    core.directory.forget(channel.company_id)
    assert await levels.find(channel.company_id) == 10
    clock.advance(timedelta(minutes=30))
    assert await levels.find(channel.company_id) is None


async def test_a_company_that_is_not_there_has_no_level(core):
    assert await LogLevels(core.directory, core.clock).find(new_id()) is None
