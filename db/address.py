"""PostgreSQL's address as providers print it, made into one that the driver takes.

libpq's words are `sslmode`, `sslrootcert` and so on; asyncpg has one argument, `ssl`, and knows nothing of the others.
What they mean is libpq's: `require` encrypts and trusts anybody, unless a root certificate is named; `verify-ca` holds
the server's certificate against the root, `verify-full` its name too. Without `sslrootcert` the system's roots count.
(https://www.postgresql.org/docs/current/libpq-ssl.html, https://magicstack.github.io/asyncpg/current/api/index.html)
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_SCHEMES = ("postgresql+asyncpg", "postgresql", "postgres")
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TLS = ("sslmode", "ssl", "sslrootcert", "sslcert", "sslkey")
_DRIVERS = ("host", "port", "target_session_attrs")
_OURS = ("connect_timeout",)
"""Taken and not used: this program has limits of its own."""
_KNOWN = (*_TLS, *_DRIVERS, "application_name", *_OURS)


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """`arguments` are the driver's, which the address itself cannot say."""

    url: URL
    arguments: dict[str, Any] = field(default_factory=dict)


def read_database_address(text: str) -> DatabaseAddress:
    """Read an address. Raises ValueError with what is wrong, which never quotes it: it holds a password."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ValueError("must begin with postgresql://, postgres:// or postgresql+asyncpg://")
    body, _, query = rest.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    _refuse_unknown(dict(given))
    authority, slash, database = body.partition("/")
    user, at, hosts = authority.rpartition("@")
    if "," in hosts:
        # Several hosts: SQLAlchemy wants each by itself, with its port. (target_session_attrs says which is meant.)
        given = [*(("host", _with_port(host)) for host in hosts.split(",")), *given]
        hosts = ""
    kept = [(name, value) for name, value in given if name in _DRIVERS]
    try:
        url = make_url(
            f"postgresql+asyncpg://{user}{at}{hosts}{slash}{database}" + (f"?{urlencode(kept)}" if kept else "")
        )
    except (ArgumentError, ValueError) as error:
        raise ValueError(
            "must be postgresql://user:password@host:port/database; signs like @ or / in the password are "
            "written as %40 or %2F"
        ) from error
    if not url.database:
        raise ValueError("the address names no database: …@host:port/database")
    options = dict(given)
    arguments = _tls(options)
    if "application_name" in options:
        arguments["server_settings"] = {"application_name": options["application_name"]}
    return DatabaseAddress(url, arguments)


def _refuse_unknown(options: dict[str, str]) -> None:
    if options.get("channel_binding") == "require":
        raise ValueError("channel_binding=require: the driver has none; leave it out and take sslmode=verify-full")
    unknown = sorted(set(options) - set(_KNOWN) - {"channel_binding"})
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such option here; there are {', '.join(_KNOWN)}")


def _with_port(host: str) -> str:
    """Return host:port; SQLAlchemy wants the port of each of several."""
    return host if re.search(r":\d+$", unquote(host)) else f"{host}:5432"


def _tls(options: dict[str, str]) -> dict[str, Any]:
    mode = options.get("sslmode") or options.get("ssl")
    root, certificate, key = (options.get(name) for name in ("sslrootcert", "sslcert", "sslkey"))
    if mode is None:
        if root or certificate or key:
            raise ValueError("sslrootcert, sslcert and sslkey want an sslmode")
        return {}
    if mode not in _MODES:
        raise ValueError(f"sslmode is one of {', '.join(_MODES)}")
    if key and not certificate:
        raise ValueError("sslkey wants an sslcert")
    if mode in ("disable", "allow", "prefer") or (mode == "require" and not root and not certificate):
        return {"ssl": mode}
    # Where a root is named nobody else's word counts; without one the system's roots do.
    try:
        context = ssl.create_default_context(cafile=None if root == "system" else root)
        context.check_hostname = mode == "verify-full"
        if mode == "require" and root is None:
            context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(
            "sslrootcert, sslcert, sslkey: one of the files is not there, or not what it should be"
        ) from error
    return {"ssl": context}
