"""The authorization server for one application that is installed in the portal.

After "OAuth 2.0 token automatic renewal" and "Authorization Server Error Codes" of the REST documentation: an access
token lives an hour; `GET /oauth/token/` with a renewal token answers a new pair. The documents say to keep the new
renewal token "instead of the previous one", not whether the previous one dies: `keeps_previous` has it both ways. They
name no status of its refusals: 400 here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.bitrix24.calling import Json, Refused

CLIENT_ID, CLIENT_SECRET = "local.6745a0b1c2d3e4.01234567", "sandboxclientsecret0000000000000000000000000000000"
FIRST_RENEWAL = "sandboxrenewaltoken000000000000a"
LIFETIME = timedelta(hours=1)


@dataclass(slots=True)
class OAuth:
    """`scope` is what the application's card grants. `paid` False: the application's period is over."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    keeps_previous: bool = False
    paid: bool = True
    scope: str = "booking,calendar,catalog,crm"
    renewals: int = 0
    renewal_tokens: set[str] = field(default_factory=lambda: {FIRST_RENEWAL})
    expires: dict[str, datetime] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def renew(self, query: Mapping[str, str]) -> Json:
        """Answer a new pair of tokens. Raises Refused in the server's own words."""
        missing = {"grant_type", "client_id", "client_secret", "refresh_token"} - set(query)
        if missing or query["grant_type"] != "refresh_token":
            raise Refused(400, "invalid_request", "Invalid request")
        if (query["client_id"], query["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            raise Refused(400, "invalid_client", "Client not found")
        if query["refresh_token"] not in self.renewal_tokens:
            raise Refused(400, "invalid_grant", "Invalid grant")
        if not self.paid:
            raise Refused(400, "PAYMENT_REQUIRED", "Payment required")
        if not self.keeps_previous:
            self.renewal_tokens.discard(query["refresh_token"])
        return self._pair()

    def require(self, token: object) -> None:
        """Let a call in by its access token. Raises Refused 401."""
        ends = self.expires.get(str(token))
        if ends is None:
            raise Refused(401, "NO_AUTH_FOUND", "Wrong authorization data")
        if self.clock() >= ends:
            raise Refused(401, "expired_token", "The access token provided has expired.")

    def expire_all(self) -> None:
        """End the access tokens before their time, as a portal may."""
        self.expires = dict.fromkeys(self.expires, self.clock())

    def revoke(self) -> None:
        """Take the application's authorization away, as an administrator does by removing it."""
        self.renewal_tokens.clear()
        self.expire_all()

    def _pair(self) -> Json:
        number = next(self._numbers)
        self.renewals += 1
        access, renewal = f"sandboxaccesstoken{number:014}", f"sandboxrenewaltoken{number:013}"
        ends = self.clock() + LIFETIME
        self.expires[access] = ends
        self.renewal_tokens.add(renewal)
        return {
            "access_token": access,
            "client_endpoint": "https://sandbox.bitrix24.ru/rest/",
            "domain": "oauth.bitrix.info",
            "expires": int(ends.timestamp()),
            "expires_in": int(LIFETIME.total_seconds()),
            "member_id": "60133c09d1f5d0fd6d7884a11fad4585",
            "refresh_token": renewal,
            "scope": self.scope,
            "server_endpoint": "https://oauth.bitrix.info/rest/",
            "status": "L",
            "user_id": 1,
        }
