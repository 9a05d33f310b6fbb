"""The scripted model calls a person as the declaration has it: with the kind where there is one."""

from datetime import UTC, datetime

import pytest

from sandbox.gemini.wire import GenerateRequest
from sandbox.scripted.model import ScriptedModel

KINDS = ["unknown_topic", "complaint", "health", "asked_for", "other"]
TEXT = {"type": "string"}


def called(words, properties):
    """Return the arguments with which a person is called, None where none is."""
    declared = {
        "name": "call_a_person",
        "parameters_json_schema": {"type": "object", "properties": properties, "required": list(properties)},
    }
    request = GenerateRequest.model_validate(
        {
            "contents": [{"role": "user", "parts": [{"text": words}]}],
            "tools": [{"functionDeclarations": [declared]}],
        }
    )
    [part] = ScriptedModel(clock=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))(request)
    return part.function_call.args if part.function_call else None


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Можно прийти с попугаем?", "unknown_topic"),
        ("Can I bring my parrot?", "unknown_topic"),
        ("Позовите человека", "asked_for"),
        ("Let me speak to a person", "asked_for"),
        ("Хочу пожаловаться на мастера", "complaint"),
        ("I want to complain", "complaint"),
        ("Можно ли это при беременности?", "health"),
        ("Is it safe? I am pregnant", "health"),
    ],
)
def test_the_kind_is_what_the_client_wrote_about(words, kind):
    arguments = called(words, {"kind": {"type": "string", "enum": KINDS}, "summary": TEXT})

    assert arguments == {"kind": kind, "summary": words}


def test_a_kind_that_is_not_declared_is_not_passed():
    words = "Позовите человека"

    assert called(words, {"reason": TEXT, "summary": TEXT}) == {"reason": "client_asked", "summary": words}


@pytest.mark.parametrize("argument", ["kind", "reason"])
def test_of_declared_values_that_it_does_not_know_it_takes_the_most_general(argument):
    declared = {argument: {"type": "string", "enum": ["angry", "another_matter_or_other"]}, "summary": TEXT}

    assert called("Позовите человека", declared)[argument] == "another_matter_or_other"
