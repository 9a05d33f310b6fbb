"""One trace from the messenger's webhook to the reply, over two processes; and nothing of a client in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.tracing import set_up_tracing
from sandbox.collector import Collector
from sandbox.telegram.state import User

pytestmark = pytest.mark.timeout(300)
ELITA = Path(__file__).parents[2] / "examples" / "elita.yaml"
BOT, TOKEN, CLIENT = 700000055, "700000055:AAtracing-token-0000000000000000000", User(id=77, first_name="Серафима")


@pytest.fixture
async def collector():
    async with Collector().serving() as serving:
        yield serving


@pytest.fixture
async def traced(installation_of, vendors, collector):
    """A gateway and a worker, each a process of its own, after one question of a client was answered."""
    vendors.telegram.add_bot(TOKEN, username="traced_bot", first_name="Элита")
    one = installation_of(
        AI_ADMIN_LOG_FORMAT="json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="200"
    )
    assert await one.admin("company", "import", str(ELITA)) == 0
    options = ("-o", f"api_url={vendors.yclients.url}", "-o", "company_id=4564")
    tokens = f"{vendors.yclients.partner_token}\n{vendors.yclients.user_token}\n"
    assert await one.admin("crm", "set", "elita", "yclients", *options, stdin=tokens) == 0
    async with (
        one.serving("gateway", OTEL_SERVICE_NAME="gateway"),
        one.serving("worker", OTEL_SERVICE_NAME="worker", AI_ADMIN_WORKER_METRICS_PORT=str(one.free_port())),
    ):
        assert await one.admin("channel", "add", "elita", "telegram", stdin=TOKEN + "\n") == 0
        people = vendors.telegram.people
        await people.send_text(BOT, CLIENT, "Есть время завтра на женскую стрижку? Мой номер +7 916 123-45-67")
        await people.wait_for(BOT, CLIENT.id, lambda _: people.texts_from_bot(BOT, CLIENT.id))
    # Both have ended: what they had to tell was sent.
    return one


async def test_a_message_is_one_trace_and_one_line_and_no_word_of_the_client_stands_there(traced, collector, vendors):
    # Two processes and a conversation take half a minute: what became of it is looked at in one go.
    it_is_one_trace_from_webhook_to_reply(collector)
    nothing_of_the_client_and_no_secret_is_in_a_span(collector, vendors)
    one_line_tells_all_of_a_turn_and_every_line_says_whose_it_is(traced)


def it_is_one_trace_from_webhook_to_reply(collector):
    [webhook] = [span for span in collector.spans if span.name == "webhook"]
    mine = {span.id: span for span in collector.spans if span.trace == webhook.trace}
    names = {span.name for span in mine.values()}

    def origin(name):
        """Follow a span up to the first of its trace."""
        one = next(span for span in mine.values() if span.name == name)
        path = [one.name]
        while one.parent:
            one = mine[one.parent]
            path.append(one.name)
        return path

    assert {"webhook", "turn", "feed", "answer", "model", "tools", "tool", "crm", "commit", "reply"} <= names
    assert origin("turn") == ["turn", "webhook"]
    assert origin("model") == ["model", "answer", "turn", "webhook"]
    assert origin("crm")[-3:] == ["answer", "turn", "webhook"]
    assert origin("reply")[-1] == "webhook"
    assert any(name.startswith("sql ") for name in names)
    assert "EVALSHA" in names
    assert {span.service for span in mine.values()} == {"gateway", "worker"}


def nothing_of_the_client_and_no_secret_is_in_a_span(collector, vendors):
    sent = b"".join(collector.bodies)

    assert b"company_id" in sent
    for secret in (
        "Серафима",
        "916 123",
        "9161234567",
        "стрижк",
        TOKEN,
        TOKEN.split(":")[1],
        vendors.yclients.user_token,
    ):
        assert secret.encode() not in sent, secret
    # Nothing tells of an error in a vendor's or a client's words.
    assert {span.error for span in collector.spans} == {""}


def one_line_tells_all_of_a_turn_and_every_line_says_whose_it_is(traced):
    lines = [json.loads(line) for written in traced.written for line in written.splitlines() if line.startswith(b"{")]
    [turn] = [line for line in lines if line["event"] == "turn_done"]
    [access] = [line for line in lines if line["event"] == "request" and "webhook" in line["route"]]
    replies = [line for line in lines if line.get("kind") == "delivery"]

    assert {"read", "feed", "model", "tools", "answer", "commit"} == set(turn["stages_ms"])
    assert all(took >= 0 for took in turn["stages_ms"].values())
    assert turn["model_calls"] == len(turn["tool_calls"]) + 1
    assert all(call.endswith(": ok") for call in turn["tool_calls"]), turn["tool_calls"]
    assert turn["tokens_in"] > turn["tokens_out"] > 0
    assert turn["took_ms"] >= turn["stages_ms"]["answer"] >= turn["stages_ms"]["model"]
    assert turn["channel"] == access["channel"] == "telegram"
    assert turn["company_id"] == access["company_id"]
    assert turn["dialogue_id"]
    assert len(turn["update_ids"]) == 1
    assert access["took_ms"] > 0
    for line in [turn, access, *replies]:
        assert line["company_id"] == turn["company_id"]
    words = json.dumps(lines, ensure_ascii=False)
    assert "Серафима" not in words
    assert "стрижк" not in words
    assert "916 123" not in words


def test_without_an_address_nothing_is_traced():
    assert set_up_tracing({}) is False
    assert set_up_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}) is False


async def test_a_process_that_is_to_trace_without_the_extra_says_what_to_install(admin, tmp_path):
    # A module that may not be imported stands for a package that is not there.
    hides = "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(hides)
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "PYTHONPATH": str(tmp_path)}

    said = await admin("gateway", exit_code=1, **more)

    assert "ai-admin[tracing]" in said
