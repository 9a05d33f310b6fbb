"""Graph API's refusals: the body is `{"error": {message, type, code, error_data, fbtrace_id}}`.

Codes and their titles after Meta's page "Error codes". Not verified with Meta: the HTTP status of those that the
sandbox's `_HTTP` does not name (400), and the words of `details`. Graph API words what is foreign and what is not there
alike: code 100 with subcode 33.
"""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

_KNOWN = {
    0: "AuthException",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    100: "Invalid parameter",
    104: "An access token is required to request this resource",
    190: "Invalid OAuth access token",
    368: "Temporarily blocked for policies violations",
    2200: "Callback verification failed",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131026: "Message undeliverable",
    131031: "Business Account locked",
    131042: "Business eligibility payment issue",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131051: "Unsupported message type",
    131052: "Media download error",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    131057: "Account in maintenance mode",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132012: "Parameter format does not match format in the created template",
    132015: "Template is paused",
    132016: "Template is disabled",
}
_HTTP = {
    0: 401,
    10: 403,
    104: 401,
    190: 401,
    368: 403,
    131000: 500,
    131016: 503,
    131031: 403,
    4: 429,
    80007: 429,
    130429: 429,
    131048: 429,
    131056: 429,
}
RATES = frozenset({4, 80007, 130429, 131048, 131056})
"""Only too much had come."""


class Refused(Exception):
    """One error answer. `broken`: the request breaks a rule that its sender knows, not only a limit or a fault."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        broken: bool = False,
        http: int | None = None,
        subcode: int | None = None,
    ) -> None:
        super().__init__(f"(#{code}) {title(code)}: {details}")
        self.code = code
        self.details = details
        self.broken = broken
        self.http = http or _HTTP.get(code, 400)
        self.subcode = subcode

    def response(self) -> web.Response:
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {title(self.code)}",
            "type": "GraphMethodException" if self.subcode else "OAuthException",
            "code": self.code,
            "fbtrace_id": secrets.token_urlsafe(8),
        }
        if self.code >= 100_000:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        elif self.details:
            error["message"] = self.details if self.subcode else f"(#{self.code}) {self.details}"
        if self.subcode:
            error["error_subcode"] = self.subcode
        return web.json_response({"error": error}, status=self.http)


def title(code: int) -> str:
    return _KNOWN.get(code, "Error")


def missing(name: str) -> Refused:
    return Refused(131008, f"Required parameter is missing: {name}", broken=True)


def wrong(details: str) -> Refused:
    return Refused(131009, details, broken=True)


def unexpected(key: str, where: str) -> Refused:
    return Refused(100, f"Unexpected key {key!r} on param {where!r}", broken=True)


def not_there(id_: str, method: str) -> Refused:
    return Refused(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{id_}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation",
        subcode=33,
    )


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """Return an array of JSON objects, empty where none was given. Raises Refused."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refused(100, f"Param {name} must be an array of JSON objects", broken=True)
    return value
