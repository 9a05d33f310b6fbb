"""Round every HTTP request: request id and log fields, errors as JSON that show nothing inside, security headers."""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import SecretStr

from db.errors import DatabaseUnavailable, TooManyTries, TooManyUpdates
from db.records import new_id

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_FORWARDING = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
_RETRY_AFTER_S = "5"
_ADDRESSES_KEPT = 4096
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return `{"error": {"code", "message"}}`."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into the one JSON shape; what is unforeseen is logged with its trace and told as nothing."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        kept = {
            name: error.headers[name]
            for name in ("Allow", "Connection", "Retry-After", "WWW-Authenticate")
            if name in error.headers
        }
        response = error_response(error.status, _CODES.get(error.status, "http_error"), error.reason, kept)
    except DatabaseUnavailable as error:
        log.error("database_unavailable", error=str(error))
        message = "The service cannot store anything at the moment; try again."
        response = error_response(503, "unavailable", message, {"Retry-After": _RETRY_AFTER_S})
    except (TooManyUpdates, TooManyTries) as error:
        what = "updates" if isinstance(error, TooManyUpdates) else "tries"
        seconds = str(math.ceil(error.wait.total_seconds()))
        response = error_response(
            429, "too_many_requests", f"Too many {what}; try again later.", {"Retry-After": seconds}
        )
    except Exception:
        log.exception("request_failed")
        response = error_response(500, "internal_error", "Something went wrong on our side.")
    return response


def _write_line(**fields: Any) -> None:
    log.info("request", **fields)


def request_log(write: Callable[..., None] = _write_line) -> Middleware:
    """Bind a request id and log each request by its route's pattern: a path may hold a webhook token.

    Whoever learns whose request it is binds that: it stands in this line too, and lasts until it is written. `write`:
    writes the line, of these fields and of what is bound.
    """

    @web.middleware
    async def logged(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "unknown"
        started = time.monotonic()
        try:
            structlog.contextvars.bind_contextvars(request_id=str(new_id()), route=route)
            response = await handler(request)
            took_ms = round((time.monotonic() - started) * 1000, 1)
            write(method=request.method, status=response.status, took_ms=took_ms)
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response
        finally:
            # The next request on this connection runs in the same context.
            structlog.contextvars.clear_contextvars()

    return logged


def client_address(trusted_proxies: Sequence[str]) -> Callable[[web.Request], str | None]:
    """Return what names a request's sender: the peer, or where that is a trusted proxy, who it says it forwards for.

    `X-Forwarded-For` is read from the right, as each proxy adds to its end; the first address that is no trusted proxy
    counts, and what stands left of it is the sender's own tale.
    """
    is_trusted = trusted(trusted_proxies)

    def address_of(request: web.Request) -> str | None:
        address = request.remote
        forwarded = [part.strip() for line in request.headers.getall("X-Forwarded-For", ()) for part in line.split(",")]
        while address is not None and forwarded and is_trusted(address):
            address = forwarded.pop()
        return address

    return address_of


def trusted(proxies: Sequence[str]) -> Callable[[str], bool]:
    """Return what says whether an address is one of the trusted proxies."""
    networks = [ip_network(one, strict=False) for one in proxies]

    # Reading an address costs as much as half of a bare answer, and the same few proxies ask all the time.
    @lru_cache(maxsize=_ADDRESSES_KEPT)
    def is_trusted(name: str) -> bool:
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return any(address in network for network in networks)

    return is_trusted


def require_admin(*tokens: SecretStr | None, loopback_allowed: bool) -> Callable[[Handler], Handler]:
    """Guard a route that is not public.

    With tokens: one of them as bearer, or 401. Without: 404, as if it were not there, except in development for a peer
    on this very machine that no proxy forwards for.
    """
    opening = [token for token in tokens if token is not None]

    def guard(handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if opening:
                if not bearer_is(request, *opening):
                    raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
            elif not (loopback_allowed and _is_local(request)):
                raise web.HTTPNotFound
            return await handler(request)

        return guarded

    return guard


def bearer_is(request: web.Request, *tokens: SecretStr) -> bool:
    """Compare the request's bearer token with each of these, in constant time. An empty one opens nothing."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    offered = given.strip().encode(errors="replace")
    matches = [hmac.compare_digest(offered, token.get_secret_value().encode()) for token in tokens]
    return scheme.lower() == "bearer" and bool(offered) and any(matches)


def _is_local(request: web.Request) -> bool:
    if any(name in request.headers for name in _FORWARDING):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
