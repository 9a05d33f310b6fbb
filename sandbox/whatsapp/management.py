"""What a business asks and sets of its numbers, its account and its app, besides messages.

After Meta's pages "Phone numbers", "Message templates", "Override" (of callback addresses) and Graph API's "Application
subscriptions". An address is taken only after it answered the challenge. Not verified with Meta: the code where an
overriding address does not answer (here 2200, as for an app's). One thing is looser: an address may be http:// on a
loopback address, where Meta demands https.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.whatsapp.access import Access, check_version
from sandbox.whatsapp.errors import Refused, missing, wrong
from sandbox.whatsapp.state import Account, Json, Number, State
from sandbox.whatsapp.webhooks import ask

_LONGEST_URL = 200
_MOST_TEMPLATES = 250
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SHOWN = ("display_phone_number", "verified_name", "quality_rating", "code_verification_status", "platform_type")
_NO_VALUE = frozenset(
    [
        "account_mode",
        "certificate",
        "conversational_automation",
        "country_code",
        "country_dial_code",
        "eligibility_for_api_business_global_search",
        "health_status",
        "is_pin_enabled",
        "is_preverified_number",
        "last_onboarded_time",
        "new_certificate",
        "new_name_status",
        "quality_score",
        "search_visibility",
        "username",
        "whatsapp_business_manager_messaging_limit",
    ]
)
"""Fields that there are, and that this number has nothing in: Graph API leaves those out."""


class Management:
    """`GET` and `POST` on numbers, accounts and apps. Raises Refused."""

    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access

    async def describe_number(self, request: web.Request) -> Json:
        return _shown(self._access.number(request), request.query.get("fields"))

    async def set_number(self, request: web.Request) -> Json:
        """Set the number's own callback address; "": take it away."""
        number = self._access.number(request)
        wanted = (await _body(request)).get("webhook_configuration") or {}
        url = wanted.get("override_callback_uri")
        if url is None:
            raise missing("webhook_configuration.override_callback_uri")
        if url:
            await _check_address(str(url), wanted.get("verify_token"))
        number.callback_url = str(url)
        return {"success": True}

    async def describe_account(self, request: web.Request) -> Json:
        account = self._access.account(request)
        return {"id": account.id, "name": account.name, "currency": "RUB", "timezone_id": "1"}

    async def list_numbers(self, request: web.Request) -> Json:
        account = self._access.account(request)
        fields = request.query.get("fields")
        return _page([_shown(one, fields) for one in self._access.numbers_of(account)])

    async def list_templates(self, request: web.Request) -> Json:
        """List the account's templates; `name`, `language` and `status` choose among them."""
        account = self._access.account(request)
        found = [one.as_json(f"{account.id}{index}") for index, one in enumerate(account.templates.values(), start=1)]
        for name in ("name", "language", "status"):
            if name in request.query:
                found = [one for one in found if one[name] in request.query[name].split(",")]
        count = {"total_count": len(found), "message_template_count": len(account.templates)}
        summary = {**count, "message_template_limit": _MOST_TEMPLATES, "are_translations_complete": True}
        asked = request.query.get("summary", "").split(",")
        told = {name: value for name, value in summary.items() if name in asked}
        return {**_page(found), **({"summary": told} if told else {})}

    async def subscribe(self, request: web.Request) -> Json:
        """Let the account's webhooks come; to an address of its own where one is given, else to the app's again."""
        account = self._access.account(request)
        wanted = await _body(request)
        url = str(wanted.get("override_callback_uri") or "")
        if url:
            await _check_address(url, wanted.get("verify_token"))
        account.callback_url, account.subscribed = url, True
        return {"success": True}

    async def unsubscribe(self, request: web.Request) -> Json:
        self._access.account(request).subscribed = False
        return {"success": True}

    async def list_subscribed(self, request: web.Request) -> Json:
        account = self._access.account(request)
        return {"data": [_subscribed(account)] if account.subscribed else []}

    async def set_app(self, request: web.Request) -> Json:
        """Set the app's callback address and fields, with the app's own token."""
        app = self._access.app(request)
        wanted = {**request.query, **await _body(request)}
        if wanted.get("object") != "whatsapp_business_account":
            raise Refused(100, "object must be whatsapp_business_account", broken=True)
        fields = [one.strip() for one in str(wanted.get("fields") or "").split(",") if one.strip()]
        for name in ("callback_url", "verify_token"):
            if not wanted.get(name):
                raise Refused(100, f"The parameter {name} is required", broken=True)
        if not fields:
            raise Refused(100, "The parameter fields is required", broken=True)
        await _check_address(str(wanted["callback_url"]), wanted["verify_token"])
        app.callback_url, app.fields = str(wanted["callback_url"]), set(fields)
        return {"success": True}

    async def describe_app(self, request: web.Request) -> Json:
        app = self._access.app(request)
        fields = [{"name": name, "version": request.match_info["version"]} for name in sorted(app.fields)]
        told = {"object": "whatsapp_business_account", "callback_url": app.callback_url, "active": True}
        return {"data": [{**told, "fields": fields}] if app.callback_url else []}

    async def app_token(self, request: web.Request) -> Json:
        """Give an app its token (`/oauth/access_token`, grant_type client_credentials)."""
        check_version(request)
        app = self._state.apps.get(request.query.get("client_id", ""))
        if app is None or app.secret != request.query.get("client_secret"):
            raise Refused(1, "Error validating client secret.")
        return {"access_token": app.access_token, "token_type": "bearer"}

    async def debug_token(self, request: web.Request) -> Json:
        return self._access.debug(request)


async def _body(request: web.Request) -> Json:
    """Read JSON or a form; nothing is an empty body."""
    if not request.can_read_body:
        return {}
    if request.content_type != "application/json":
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    try:
        body: Any = await request.json()
    except ValueError as error:
        raise Refused(100, "Invalid JSON", broken=True) from error
    if not isinstance(body, dict):
        raise Refused(100, "Invalid JSON", broken=True)
    return body


async def _check_address(url: str, verify_token: object) -> None:
    """Raise Refused for an address that Meta would not take. That it does not answer yet is no broken rule."""
    if not verify_token:
        raise missing("verify_token")
    if len(url) > _LONGEST_URL:
        raise wrong(f"override_callback_uri: {len(url)} characters, at most {_LONGEST_URL}")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise wrong("override_callback_uri: an https address is needed")
    question = await ask(url, str(verify_token))
    if not question.answered:
        raise Refused(2200, f"Callback verification failed with the following errors: {question.why}")


def _shown(number: Number, fields: str | None) -> Json:
    """Return the number's fields, or those that are asked for. Raises Refused for one that there is not."""
    addresses = {
        "phone_number": number.callback_url,
        "whatsapp_business_account": number.account.callback_url,
        "application": number.app.callback_url,
    }
    known: Json = {
        "verified_name": number.verified_name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": number.display,
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {name: url for name, url in addresses.items() if url},
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "is_official_business_account": False,
        "is_on_biz_app": number.coexistence,
    }
    if fields is None:
        return {**{name: known[name] for name in (*_SHOWN, "throughput", "webhook_configuration")}, "id": number.id}
    asked = [one.strip() for one in fields.split(",") if one.strip()]
    for name in asked:
        if name not in known and name not in _NO_VALUE and name != "id":
            raise Refused(100, f"Tried accessing nonexisting field ({name})", broken=True)
    return {**{name: known[name] for name in asked if name in known}, "id": number.id}


def _subscribed(account: Account) -> Json:
    app = account.app
    link = f"https://www.facebook.com/games/?app_id={app.id}"
    told: Json = {"whatsapp_business_api_data": {"id": app.id, "link": link, "name": f"app {app.id}"}}
    if account.callback_url:
        told["override_callback_uri"] = account.callback_url
    return told


def _page(found: list[Json]) -> Json:
    return {"data": found, "paging": {"cursors": {"before": "b", "after": "a"}}} if found else {"data": []}
