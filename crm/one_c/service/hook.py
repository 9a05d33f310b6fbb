"""Notices that the base may send: which appointments have changed there."""

from __future__ import annotations

import hmac
import json

from pydantic import SecretStr

from crm.base import Hook, RecordId
from crm.errors import CRMAuthFailed, CRMInvalid, CRMNotConfigured
from crm.one_c.service.wire import ID

HEADER = "x-ai-admin-secret"
SHORTEST_SECRET = 16
MOST = 500


def require_strong(secret: SecretStr | None) -> None:
    """Raise CRMNotConfigured for a secret that could be guessed."""
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise CRMNotConfigured(f"1c: the field hook_secret needs {SHORTEST_SECRET} characters at least")


def read_notice(hook: Hook, secret: SecretStr) -> tuple[RecordId, ...]:
    """Return the ids of `{"appointment_ids": [...]}`, each once.

    Raises CRMAuthFailed where the secret's header is wrong or missing, CRMInvalid for another body.
    """
    given = next((value for name, value in hook.headers.items() if name.lower() == HEADER), "")
    if not hmac.compare_digest(given.encode(errors="replace"), secret.get_secret_value().encode()):
        raise CRMAuthFailed("1c: a notice without the right secret")
    try:
        body = json.loads(hook.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise CRMInvalid("1c: a notice that is no JSON") from None
    ids = body.get("appointment_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or len(ids) > MOST:
        raise CRMInvalid(f"1c: a notice names up to {MOST} appointments in appointment_ids")
    if not all(isinstance(one, str) and ID.fullmatch(one) for one in ids):
        raise CRMInvalid("1c: a notice with something that is no appointment's id")
    return tuple(RecordId(one) for one in dict.fromkeys(ids))
