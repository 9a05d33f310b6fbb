"""Addresses that an admin typed: credentials go out in the clear to this very machine only."""

from __future__ import annotations

from urllib.parse import urlsplit

from crm.errors import CRMNotConfigured

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def require_safe(url: str, *, crm: str, field: str) -> str:
    """Return the address without a slash at its end. Raises CRMNotConfigured where it is not https, or holds more than
    a place: credentials, a query, a fragment."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        plain = parts.port != 0 and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        known = plain = False
    if not (known and plain and parts.hostname):
        raise CRMNotConfigured(f"{crm}: the field {field} must be an https address without credentials")
    return url.rstrip("/")
