"""Secrets are compared in constant time: no `==` where one of the sides is, by its name, a secret that somebody sent.

What is compared by `==` all the same is listed here with the reason why it may be.
"""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from handlers.telegram.intake import TelegramIntake
from handlers.voice.proof import is_scenario, is_twilio, scenario_signature, twilio_signature

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "handlers", "middlewares", "orchestration", "crm", "db")
SECRET = ("token", "secret", "signature", "digest", "hmac", "password", "ticket", "credential", "proof", "codes")
HARMLESS = {
    # In PostgreSQL: digests of long random words, and which side is slower says nothing of the word.
    ("db/directory.py", "models.webhook_tokens.c.digest == bindparam('digest')"),
    ("db/calls.py", "calls.c.ticket == ticket"),
    ("db/staff.py", "staff.c.invite == token_digest(code)"),
    ("db/console.py", "links.digest == token_digest(token.secret)"),
    ("db/console.py", "rows.digest == token_digest(token.secret)"),
    # Tables' and settings' names.
    ("db/companies.py", "tokens.c.company_id == company_id"),
    ("db/companies.py", "tokens.c.branch_id == branch_id"),
    ("db/companies.py", "tokens.c.company_id == channel.company_id"),
    ("db/companies.py", "tokens.c.channel_id == channel.id"),
    ("bot/settings.py", "upper == f'{PREFIX}TELEGRAM_TOKEN'"),
    # An admin's own new secrets beside their own old ones; an act's digest, which is public, and the name of a field.
    ("db/companies.py", "known.get(name) != secrets.get(name)"),
    ("bot/client_data.py", "row['record']['sha256'] != _digest(document)"),
    ("bot/erasure_acts.py", "name != 'signature'"),
    ("bot/erasure_acts.py", "signature['key'] != key_id_of(public_key)"),
    # Whether the words of a list of ours have changed since it was shown.
    ("bot/sick_watch.py", "digest_of(text) == sick.shown"),
    # No secrets: ids in buttons, a status, why a model stopped, the demo's own settings.
    ("orchestration/booking_steps.py", "_digest(str(branch.id)) == argument"),
    ("orchestration/booking_steps.py", "_digest(service.id) == argument"),
    ("orchestration/booking_steps.py", "_digest(one.id) == argument"),
    ("handlers/whatsapp/media.py", "response.status_code != httpx.codes.OK"),
    ("orchestration/gemini.py", "reason == 'MAX_TOKENS'"),
    ("bot/demo_crms.py", "_placeless(given.secrets) == _placeless(secrets)"),
}


def comparisons(source: str) -> set[str]:
    """Return the `==` and `!=` in which something is named like a secret."""
    return {
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        and any(word in name.lower() for name in _names(node) for word in SECRET)
    }


def _names(node: ast.Compare) -> set[str]:
    found = set()
    for part in (part for side in (node.left, *node.comparators) for part in ast.walk(side)):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.add(part.value)
    return found


def test_no_secret_is_compared_by_equality():
    found = {
        (str(path.relative_to(ROOT)), one)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for one in comparisons(path.read_text(encoding="utf-8"))
    }

    assert found - HARMLESS == set(), "compare it with hmac.compare_digest, or say here why it need not be"
    assert HARMLESS - found == set(), "no longer there: take it off the list"


@pytest.mark.parametrize("source", ["given == token", "headers.get('X-Secret') != expected", "self.ticket == other"])
def test_such_a_comparison_would_be_found(source):
    assert comparisons(source)


def test_a_secret_that_is_empty_opens_nothing():
    empty = SecretStr("")
    assert not TelegramIntake().lock(lambda: {"secret_token": empty})({}, b"{}")
    # What anybody can compute without knowing a secret.
    assert not is_twilio(empty, "https://a.example/", {}, twilio_signature(empty, "https://a.example/", {}))
    now = str(int(time.time()))
    signed = {"timestamp": now, "signature": scenario_signature(empty, "call", "+7916", now)}
    assert not is_scenario(empty, "call", "+7916", signed)
