"""The widget's three envelopes, and what its failures mean. Nearly all of them come with HTTP 200."""

from __future__ import annotations

from typing import Any

from crm.errors import CRMNotConfigured, CRMRejected, CRMUnavailable
from crm.http import Answer, NotJSON, UnreadableAnswer

SUCCESS = (None, 0, "0", False)


class Challenged(CRMUnavailable):
    """The vendor asks whether a person is there. That is never answered for it, and not asked again at once."""


class Surprised(CRMUnavailable):
    """The answer is not what public clients read there: it may mean anything, so it means nothing."""


class Refused(CRMRejected):
    """The widget said no in its own words."""


def open_envelope(answer: Answer, *, operation: str) -> dict[str, Any]:
    """Return what a successful answer carries: its `data`, or its own fields where it has none.

    Raises Challenged for a page in place of JSON, CRMNotConfigured for a company that the vendor does not know,
    Refused for a failure in words, UnreadableAnswer for anything else.
    """
    where = f"{operation}: HTTP {answer.status}"
    kind = answer.headers.get("content-type", "")
    if "html" in kind or answer.status == 403:
        raise Challenged(f"{where}: a page in place of data (a challenge, or a captcha)")
    try:
        body = answer.json()
    except NotJSON:
        if answer.status >= 300:
            raise UnreadableAnswer(f"HTTP {answer.status} without data") from None
        raise
    if not isinstance(body, dict):
        raise UnreadableAnswer("no object")
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else error
    if code == "COMPANY_ERROR":
        raise CRMNotConfigured("dikidi: the field company_id names no company there")
    if code not in SUCCESS or answer.status >= 300:
        raise Refused(f"{where}: {_words(error, body)}")
    data = body.get("data", body)
    if not isinstance(data, dict):
        raise UnreadableAnswer("no data")
    return data


def _words(error: object, body: dict[str, Any]) -> str:
    said = error.get("message") if isinstance(error, dict) else body.get("message")
    return str(said)[:200] if said else "refused without a word"
