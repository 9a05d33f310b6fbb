"""Who may see what in the Graph API: a token opens its own number and that number's account, an app's token its app."""

from __future__ import annotations

import re

from aiohttp import web

from sandbox.whatsapp.errors import Refused, not_there
from sandbox.whatsapp.state import Account, App, Json, Media, Number, State

_VERSION = re.compile(r"v(\d+)\.0")
_OLDEST_VERSION = 17


class Access:
    """Each method returns what the address names. Raises Refused."""

    def __init__(self, state: State) -> None:
        self._state = state

    def number(self, request: web.Request) -> Number:
        token = self.token(request)
        number = self._state.numbers.get(request.match_info["id"])
        if number is None or number.token != token:
            raise not_there(request.match_info["id"], request.method)
        return number

    def account(self, request: web.Request) -> Account:
        token = self.token(request)
        account = self._state.accounts.get(request.match_info["id"])
        if account is None or not any(one.token == token for one in self.numbers_of(account)):
            raise not_there(request.match_info["id"], request.method)
        return account

    def app(self, request: web.Request) -> App:
        token = _given(request)
        app = self._state.apps.get(request.match_info["id"])
        if app is None or app.access_token != token:
            self.token(request)
            raise Refused(10, "an app's own access token is needed")
        return app

    def media(self, request: web.Request) -> tuple[Number, Media]:
        token = self.token(request)
        found = self._state.find_media(request.match_info["id"])
        wanted = request.query.get("phone_number_id")
        if found is None or found[0].token != token or (wanted is not None and found[0].id != wanted):
            raise not_there(request.match_info["id"], request.method)
        return found

    def token(self, request: web.Request) -> str:
        """Return the token of some number."""
        check_version(request)
        token = _given(request)
        if not token:
            raise Refused(104)
        if any(app.access_token == token for app in self._state.apps.values()):
            raise Refused(10, "an app's access token opens no number")
        if not any(one.token == token for one in self._state.numbers.values()):
            raise Refused(190, "Invalid OAuth access token - Cannot parse access token")
        return token

    def numbers_of(self, account: Account) -> list[Number]:
        return [one for one in self._state.numbers.values() if one.account is account]

    def debug(self, request: web.Request) -> Json:
        """Tell of `input_token` (Graph API, "/debug_token"), asked with its app's token or with itself."""
        check_version(request)
        asked, given = request.query.get("input_token", ""), _given(request)
        if not given:
            raise Refused(104)
        number = next((one for one in self._state.numbers.values() if one.token == asked), None)
        if number is None:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        if given not in (asked, number.app.access_token):
            raise Refused(10, "the token is of another app")
        scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
        target = [number.account.id]
        return {
            "data": {
                "app_id": number.app.id,
                "type": "SYSTEM_USER",
                "is_valid": True,
                "expires_at": 0,
                "scopes": scopes,
                "granular_scopes": [{"scope": scope, "target_ids": target} for scope in scopes],
            }
        }


def check_version(request: web.Request) -> None:
    """Raise Refused for a version that Meta no longer, or does not yet, know."""
    given = request.match_info["version"]
    version = _VERSION.fullmatch(given)
    if version is None or int(version[1]) < _OLDEST_VERSION:
        raise Refused(100, f"Unknown version {given}", broken=True)


def _given(request: web.Request) -> str:
    """Return the token; one in the address goes before the header's (pywa sends both, and Meta takes an app's so)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return request.query.get("access_token") or (token if scheme == "Bearer" else "")
