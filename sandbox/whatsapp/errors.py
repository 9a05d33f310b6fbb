"""Graph API's refusals: the body is `{"error": {message, type, code, error_data, fbtrace_id}}`."""

from __future__ import annotations

import secrets

from aiohttp import web

from sandbox.whatsapp.state import Json

_KNOWN = {
    0: "AuthException",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    100: "Invalid parameter",
    190: "Invalid OAuth access token",
    368: "Temporarily blocked for policies violations",
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
    131051: "Unsupported message type",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
}
_HTTP = {0: 401, 190: 401, 10: 403, 4: 400, 368: 403, 131016: 503, 131000: 500, 130429: 429, 131056: 429, 80007: 429}


class Refused(Exception):
    """One error answer. `broken`: the request breaks a rule that its sender knows, not only a limit or a fault."""

    def __init__(self, code: int, details: str = "", *, broken: bool = False, http: int | None = None) -> None:
        super().__init__(f"(#{code}) {_KNOWN.get(code, 'Error')}: {details}")
        self.code = code
        self.details = details
        self.broken = broken
        self.http = http or _HTTP.get(code, 400)

    def response(self) -> web.Response:
        error: Json = {
            "message": f"(#{self.code}) {_KNOWN.get(self.code, 'Error')}",
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": secrets.token_urlsafe(8),
        }
        if self.code >= 100_000:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        elif self.details:
            error["message"] = f"(#{self.code}) {self.details}"
        return web.json_response({"error": error}, status=self.http)


def missing(name: str) -> Refused:
    return Refused(131008, f"Required parameter is missing: {name}", broken=True)


def wrong(details: str) -> Refused:
    return Refused(131009, details, broken=True)
