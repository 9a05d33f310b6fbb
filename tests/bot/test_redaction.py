"""What a slip brings into a log is cut: by the field's name, by its look, however deep it lies, whoever logs it."""

from __future__ import annotations

import json
import logging
import sys
from io import StringIO

import pytest
import structlog
from sqlalchemy import text

from bot.logs import set_up_logs
from bot.redaction import redact, redacted
from bot.settings import LogFormat
from db.engine import Database
from db.records import ChannelId, CompanyId, Dialogue, DialogueId, new_id
from db.upgrade import runtime_url


@pytest.mark.parametrize(
    "phone",
    [
        "+79161234567",
        "79161234567",
        "89161234567",
        "9161234567",
        "8 916 123 45 67",
        "8-916-123-45-67",
        "8 (916) 123-45-67",
        "8.916.123.45.67",
        "+7 (916) 123-45-67",
        "+7\u00a0916\u00a0123\u00a045\u00a067",
        "+7\u2011916\u2011123\u201145\u201167",
        "(916) 123-45-67",
        "916 123-45-67",
        "+44 20 7946 0958",
        "+1 (415) 555-0132",
        "+1.415.555.0132",
        "+77011234567",
        "0049 30 901820",
        "tel:+79161234567",
    ],
)
def test_a_phone_is_cut_in_every_spelling(phone):
    cut = redacted(f"the client {phone}, who asked")

    assert not [digits for digits in ("4567", "45 67", "45-67", "0958", "0132", "1820") if digits in cut], cut
    assert cut.startswith("the client ")
    assert cut.endswith(", who asked")


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("write to anna.k+x@mail.example.org please", "write to <email> please"),
        ("postgresql://owner:hunter2@db.example.org/x", "postgresql://owner:<email>/x"),
        ("card 4111 1111 1111 1111 was refused", "card <card> was refused"),
        ("card 4111-1111-1111-1111.", "card <card>."),
        ("id wamid.HBgLNzkxNjEyMzQ1NjcVAgA= failed", "id wamid.<cut> failed"),
        ("Dialogue(client_name='Зинаида', key='5')", "Dialogue(client_name='<cut>', key='5')"),
        ('{"phone": "x", "visitor_name": "Иван \\"К\\""}', '{"phone": "<cut>", "visitor_name": "<cut>"}'),
        ("violates\nDETAIL:  Failing row contains (Зинаида).\nHINT: no", "violates\nDETAIL: <cut>\nHINT: no"),
    ],
)
def test_addresses_cards_and_what_records_call_personal_are_cut(words, left):
    assert redacted(words) == left


@pytest.mark.parametrize(
    "words",
    [
        "turn_done",
        "the CRM answered 503 after 1200 ms, try 3 of 5",
        "listening on 192.168.100.200:8080",
        "2500 RUB for 60 minutes",
        "yclients 4564, branch main",
    ],
)
def test_what_people_need_to_read_a_log_stays(words):
    assert redacted(words) == words


def test_fields_are_cut_by_name_and_depth_and_ids_stay():
    event = {
        "event": "x",
        "client_name": "Зинаида",
        "staff_phone": 79161234567,
        "dialogue_id": "12345678-1234-1234-1234-123456789012",
        "took_ms": 12,
        "facts": {"client": {"first_name": "Зинаида", "wrote": ["from 8 916 123-45-67"]}},
        "error": ValueError("no such client: +79161234567"),
    }

    assert redact(None, "", dict(event)) == {
        **event,
        "client_name": "<cut>",
        "staff_phone": "<cut>",
        "facts": {"client": {"first_name": "<cut>", "wrote": ["from <phone>"]}},
        "error": "ValueError('no such client: <phone>')",
    }


@pytest.fixture
def logged(monkeypatch):
    """Log in JSON as production does; return what was written."""
    monkeypatch.setattr(sys, "stderr", written := StringIO())
    before = logging.getLogger().handlers, logging.getLogger().level, structlog.get_config()
    set_up_logs(LogFormat.JSON)
    yield written.getvalue
    logging.getLogger().handlers, level, config = before
    logging.getLogger().setLevel(level)
    structlog.configure(**config)


def test_a_librarys_message_and_a_traceback_are_cut_too(logged):
    dialogue = Dialogue(
        id=DialogueId(new_id()),
        company_id=CompanyId(new_id()),
        channel_id=ChannelId(new_id()),
        key="5",
        client_name="Зинаида",
        proved_phone="+79161234567",
    )
    logging.getLogger("httpx").warning("sent to 8 (916) 123-45-67 by %s", "anna@mail.example.org")
    try:
        raise ValueError(f"cannot answer {dialogue}")
    except ValueError:
        structlog.get_logger().exception("claim_failed")

    written = logged()
    assert len([json.loads(line) for line in written.splitlines()]) == 2
    assert "claim_failed" in written
    for personal in ("Зинаида", "1234567", "123-45-67", "anna@"):
        assert personal not in written


async def test_an_error_of_the_database_quotes_no_values(database_url, logged):
    database = Database(runtime_url(database_url))
    try:
        async with database.platform() as tx:
            await tx.connection.execute(text("SELECT :words / 0"), {"words": "Зинаида стрижётся"})
    except Exception:
        structlog.get_logger().exception("claim_failed")
    finally:
        await database.close()

    assert "Зинаида" not in logged()
