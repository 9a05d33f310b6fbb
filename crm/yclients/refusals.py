"""What a refusal of the vendor means: envelope, numbers 431-438 wherever they stand, HTTP statuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMRejected,
    CRMUnsupported,
    SlotTaken,
)
from crm.http import Answer, NotJSON, UnreadableAnswer


class UnexplainedRefusal(CRMInvalid):
    """Refused with a text but no number: whether the time is taken shows only when free times are read again."""


# "Ошибки, которые необходимо обрабатывать" of book_check and book_record in the vendor's blueprint.
BY_NUMBER: Mapping[int, type[CRMError]] = MappingProxyType(
    {
        431: CRMInvalid,  # the phone's format
        432: CRMInvalid,  # a wrong code from the SMS
        433: SlotTaken,
        434: CRMUnsupported,  # the phone is on the black list: a person decides
        435: CRMInvalid,  # no name
        436: SlotTaken,  # nobody is free
        437: CRMInvalid,  # overlaps another appointment of this request
        438: CRMNotFound,  # the service is no longer offered
    }
)
BY_STATUS: Mapping[int, type[CRMError]] = MappingProxyType(
    {
        400: CRMInvalid,
        401: CRMAuthFailed,
        402: CRMAuthFailed,  # the licence is not paid
        403: CRMAuthFailed,
        404: CRMNotFound,
        409: SlotTaken,  # "Мастер занят или не работает"
        410: CRMNotFound,
        422: UnexplainedRefusal,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A successful answer. `meta` is empty where the vendor sent none (it writes that as a list)."""

    data: object
    meta: Mapping[str, Any]


def open_envelope(answer: Answer, *, operation: str) -> Envelope:
    """Return what a successful answer carries. Raises the refusal, or UnreadableAnswer.

    A refusal may come with HTTP 200. Without the envelope (an edge dropped our Accept header) the body is the data.
    """
    accepted = 200 <= answer.status < 300
    if accepted and not answer.body:
        return Envelope(data=None, meta={})
    try:
        body = answer.json()
    except NotJSON:
        if accepted or answer.status < 400:
            raise
        body = None
    if not isinstance(body, dict):
        if accepted:
            return Envelope(data=body, meta={})
        raise refusal(answer.status, {}, operation=operation)
    refused = body.get("success") is False or ("success" not in body and ("errors" in body or "error" in body))
    if not accepted or refused:
        raise refusal(answer.status, body, operation=operation)
    meta = body.get("meta")
    if "success" not in body:
        return Envelope(data=body, meta={})
    return Envelope(data=body.get("data"), meta=meta if isinstance(meta, dict) else {})


def refusal(status: int, body: Mapping[str, Any], *, operation: str) -> CRMError | UnreadableAnswer:
    """Return the error that a refusal means: by its number, else by the HTTP status, 2xx standing for 422."""
    if 300 <= status < 400:
        return NotJSON("redirected elsewhere")
    number = find_number(body)
    kind = BY_NUMBER.get(number) if number is not None else None
    if kind is None:
        kind = BY_STATUS.get(422 if status < 300 else status, CRMRejected)
    parts = [f"{operation}: HTTP {status}", f"code {number}" if number is not None else "", _message(body)]
    return kind(", ".join(part for part in parts if part))


def find_number(body: Mapping[str, Any]) -> int | None:
    """Return the booking code of a refusal. The documents do not say where it stands: every place is looked at."""
    for value in _candidates(body):
        first = value[0] if isinstance(value, list) and value else value
        text = str(first) if isinstance(first, int | str) and not isinstance(first, bool) else ""
        if text.isascii() and text.isdigit() and len(text) == 3 and int(text) in BY_NUMBER:
            return int(text)
    return None


def _candidates(body: Mapping[str, Any]) -> Iterator[object]:
    meta = body.get("meta")
    for holder in (meta, body):
        if not isinstance(holder, dict):
            continue
        for key in ("errors", "error"):
            inner = holder.get(key)
            for entry in inner if isinstance(inner, list) else (inner,):
                if isinstance(entry, dict):
                    yield entry.get("code")
        yield holder.get("code")


def _message(body: Mapping[str, Any]) -> str:
    places = (body.get("meta"), body.get("errors"), body.get("error"), body)
    texts = [place["message"] for place in places if isinstance(place, dict) and isinstance(place.get("message"), str)]
    return texts[0].strip()[:300] if texts else ""
