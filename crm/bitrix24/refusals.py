"""What a portal's failures mean: `error` may be a string, a number, or empty; its presence is what counts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMRateLimited,
    CRMRejected,
    CRMUnsupported,
)
from crm.http import Answer, NotJSON, UnreadableAnswer


class ResourceBusy(CRMRejected):
    """1018, "Empty resource collection": the resource is busy then, or is not there: only reading again tells."""


class TokenRefused(CRMAuthFailed):
    """401: the access token has ended or is not known, or the webhook's code is wrong. Nothing was done."""


BY_CODE: Mapping[str, type[CRMError]] = MappingProxyType(
    {
        "1018": ResourceBusy,
        "1019": CRMNotFound,
        "1021": CRMNotFound,
        "1009": CRMNotFound,
        "NOT_FOUND": CRMNotFound,
        "ERROR_METHOD_NOT_FOUND": CRMUnsupported,
        "insufficient_scope": CRMAuthFailed,
        "INVALID_CREDENTIALS": CRMAuthFailed,
        "ACCESS_DENIED": CRMAuthFailed,
        "user_access_error": CRMAuthFailed,
        "NO_AUTH_FOUND": TokenRefused,
        "expired_token": TokenRefused,
        "QUERY_LIMIT_EXCEEDED": CRMRateLimited,
        "OVERLOAD_LIMIT": CRMRateLimited,
        "OPERATION_TIME_LIMIT": CRMRateLimited,
    }
)
BY_STATUS: Mapping[int, type[CRMError]] = MappingProxyType(
    {400: CRMInvalid, 401: CRMAuthFailed, 403: CRMAuthFailed, 404: CRMNotFound}
)


def open_envelope(answer: Answer, *, operation: str) -> Mapping[str, Any]:
    """Return a successful answer whole: `result`, and beside it paging and times. Raises the refusal."""
    try:
        body = answer.json()
    except NotJSON:
        if answer.status < 400:
            raise
        body = {}
    if not isinstance(body, dict):
        raise UnreadableAnswer("no object")
    if "error" in body or answer.status >= 300:
        raise refusal(body.get("error"), body.get("error_description"), answer.status, operation=operation)
    if "result" not in body:
        raise UnreadableAnswer("no result")
    return body


def refusal(code: object, words: object, status: int, *, operation: str) -> CRMError:
    kind = BY_CODE.get(str(code)) or BY_STATUS.get(status, CRMRejected)
    return kind(f"{operation}: HTTP {status}, {code!s} {str(words or '')[:200]}".strip())


def explain(answer: Answer) -> CRMError | None:
    """Read limits in the portal's words, 503 and 429: nothing was done, so a write that met one is no unknown outcome.

    Others are left to their status, and so is whoever says how long to wait.
    """
    if answer.status not in (429, 503) or "retry-after" in answer.headers:
        return None
    try:
        body = answer.json()
    except NotJSON:
        return None
    code = body.get("error") if isinstance(body, dict) else None
    if BY_CODE.get(str(code)) is CRMRateLimited:
        return CRMRateLimited(f"HTTP {answer.status}, {code}")
    return None
