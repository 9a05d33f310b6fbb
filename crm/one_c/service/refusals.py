"""What a refusal means: the contract's own codes, else the status of whatever stands before the service."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotConfigured,
    CRMNotFound,
    CRMRejected,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)
from crm.http import Answer, NotJSON, UnreadableAnswer

BY_CODE: Mapping[str, type[CRMError]] = MappingProxyType(
    {
        "slot_taken": SlotTaken,
        "not_found": CRMNotFound,
        "invalid": CRMInvalid,
        "denied": CRMAuthFailed,
        "unsupported": CRMUnsupported,
        "busy": CRMUnavailable,
    }
)
"""An error with one of these codes promises that nothing was written, whatever its status."""

BY_STATUS: Mapping[int, type[CRMError]] = MappingProxyType(
    {
        400: CRMInvalid,
        401: CRMAuthFailed,
        402: CRMAuthFailed,
        403: CRMAuthFailed,
        404: CRMNotConfigured,
        405: CRMNotConfigured,
        409: SlotTaken,
        422: CRMInvalid,
    }
)
HINTS: Mapping[int, str] = MappingProxyType(
    {
        401: "the user or the password is wrong",
        403: "the user may not enter by HTTP, or lacks a right",
        404: "nothing is published at this address: base_url is wrong, or the HTTP service lacks this part",
        405: "the web server or the service lacks this method",
    }
)
LONGEST_MESSAGE = 200


def open_answer(answer: Answer, *, operation: str) -> object:
    """Return the JSON of a successful answer. Raises the refusal, or UnreadableAnswer."""
    require_success(answer, operation=operation)
    return answer.json()


def require_success(answer: Answer, *, operation: str) -> None:
    """Return for a 2xx, whatever its body. Raises the refusal, or UnreadableAnswer."""
    if not 200 <= answer.status < 300:
        raise _refusal(answer, operation=operation)


def explain(answer: Answer) -> CRMError | None:
    """Return what a 408, 429 or 5xx with the contract's own code means; None for any other page."""
    code, message = _read_error(answer)
    kind = BY_CODE.get(code)
    return kind(f"HTTP {answer.status}, {code}, {message}") if kind else None


def _refusal(answer: Answer, *, operation: str) -> CRMError | UnreadableAnswer:
    code, message = _read_error(answer)
    kind = BY_CODE.get(code)
    if kind is None and 300 <= answer.status < 400:
        return NotJSON("redirected elsewhere")
    said = message if kind else HINTS.get(answer.status, "")
    parts = (f"{operation}: HTTP {answer.status}", code if kind else "", said)
    return (kind or BY_STATUS.get(answer.status, CRMRejected))(", ".join(part for part in parts if part))


def _read_error(answer: Answer) -> tuple[str, str]:
    """Return the code and the words of the contract's error; empty ones where the body is something else."""
    try:
        body = answer.json()
    except NotJSON:
        return "", ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")), " ".join(str(error.get("message", "")).split())[:LONGEST_MESSAGE]
