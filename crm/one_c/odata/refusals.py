"""What a refusal of the OData interface means: its internal codes (17.4.10), HTTP statuses, other servers' pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotConfigured,
    CRMNotFound,
    CRMRejected,
    CRMUnsupported,
)
from crm.http import Answer, NotJSON, UnreadableAnswer


class KeyTaken(CRMRejected):
    """An entity with the key that we chose is there: our own earlier write went through."""


class Changed(CRMRejected):
    """Somebody has changed the entity since it was read (412)."""


class PostingRefused(CRMInvalid):
    """The configuration's own code refused to post the document, which stays written and unposted."""


BY_CODE: Mapping[int, type[CRMError]] = MappingProxyType(
    {
        0: CRMUnsupported,
        4: CRMInvalid,
        5: CRMInvalid,
        8: CRMNotConfigured,  # a wrong name, or the object is not switched on
        9: CRMNotFound,
        10: CRMNotConfigured,  # the mapping names a property that is not there
        11: CRMNotConfigured,
        12: CRMNotConfigured,
        15: KeyTaken,
        16: CRMInvalid,
        17: CRMNotConfigured,
        18: CRMNotConfigured,
        20: CRMAuthFailed,
    }
)
HINTS: Mapping[int, str] = MappingProxyType(
    {
        8: "the object is named wrongly or not switched on for OData",
        10: "the mapping names a property that the object does not have",
        20: "the user lacks a right, or row restrictions hide a part of what was asked",
    }
)


def require_success(answer: Answer, *, operation: str) -> None:
    """Return for a 2xx. Raises the refusal, or UnreadableAnswer where another server answered."""
    if not 200 <= answer.status < 300:
        raise refusal(answer, operation=operation)


def refusal(answer: Answer, *, operation: str) -> CRMError | UnreadableAnswer:
    """Return the error that a refusal means. Its text tells the code, and the platform's words clipped."""
    where = f"{operation}: HTTP {answer.status}"
    code, message = read_error(answer)
    if code is not None:
        said = ", ".join(part for part in (where, f"code {code}", HINTS.get(code, ""), message) if part)
        return BY_CODE.get(code, CRMRejected)(said)
    if answer.status in (401, 403):
        return CRMAuthFailed(f"{where}: the user or the password is wrong, or the user may not enter by HTTP")
    if answer.status == 402:
        return CRMAuthFailed(where)
    if answer.status == 412:
        return Changed(where)
    if answer.status == 404:
        return CRMNotConfigured(f"{where}: nothing is published at base_url, or without OData")
    return NotJSON(f"HTTP {answer.status} without a code of OData")


def explain(answer: Answer) -> CRMError | None:
    """Read a 5xx: what is not supported (501) is no outage. Others stay what the status says."""
    return CRMUnsupported("HTTP 501, not supported by the platform") if answer.status == 501 else None


def explain_posting(answer: Answer) -> CRMError | None:
    """Read a 5xx of posting: code -1 is the configuration's own refusal, and the document stays unposted."""
    code, message = read_error(answer)
    if code == -1:
        return PostingRefused(f"the document was not posted: {message}" if message else "the document was not posted")
    return explain(answer)


def read_error(answer: Answer) -> tuple[int | None, str]:
    """Return the internal code and the message of an error in JSON or XML; (None, "") for anything else.

    XML comes where the representation was not understood, whatever was asked for.
    """
    try:
        body = answer.json()
    except NotJSON:
        return _xml_error(answer.body)
    told = body.get("odata.error") if isinstance(body, dict) else None
    if not isinstance(told, dict):
        return None, ""
    message = told.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    return _number(str(told.get("code"))), _clipped(text if isinstance(text, str) else "")


def _xml_error(body: bytes) -> tuple[int | None, str]:
    text = body[:20_000].decode(errors="replace")
    code = re.search(r"<m:code>\s*(-?\d{1,4})\s*</m:code>", text)
    message = re.search(r"<m:message[^>]*>(.*?)</m:message>", text, re.DOTALL)
    return (_number(code[1]), _clipped(message[1] if message else "")) if code else (None, "")


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,4}", text) else None


def _clipped(text: str) -> str:
    return " ".join(text.split())[:200]
