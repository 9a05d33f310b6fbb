"""Addresses and conditions of the standard OData interface, percent-encoded by ourselves.

Cyrillic goes as UTF-8 and a space as %20: a plus sign is not taken for a space there (17.4.2, 17.4.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ZERO_KEY = "00000000-0000-0000-0000-000000000000"
JSON = "application/json;odata=nometadata"


def is_key(text: str) -> bool:
    """Say whether the text is a guid that may name an object."""
    return GUID.fullmatch(text) is not None and text != ZERO_KEY


def literal(value: object) -> str:
    """Return a value as a condition writes it; a text that looks like a guid is one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return f"datetime'{value.isoformat(timespec='seconds')}'"
    text = str(value)
    return f"guid'{text}'" if GUID.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def equal(field: str, value: object) -> str:
    return f"{field} eq {literal(value)}"


def reference(field: str, key: str, kind: str) -> str:
    """Compare a reference. A composite field equals a key only when the key is cast to its kind (17.4.5.2)."""
    if field.endswith("_Key"):
        return f"{field} eq guid'{key}'"
    return f"{field} eq cast(guid'{key}', '{kind}')"


def all_of_these(conditions: Sequence[str]) -> str:
    return " and ".join(conditions)


def fixed(values: Mapping[str, object]) -> list[str]:
    return [equal(field, value) for field, value in values.items()]


def address(resource: str, options: Sequence[tuple[str, str]] = ()) -> str:
    """Return the path with its query, encoded."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in (("$format", JSON), *options) if value)
    return f"/{quote(resource, safe=_PLAIN)}?{query}"


_PLAIN = "/()'=,$"


def entity(resource: str, key: str) -> str:
    return f"{resource}(guid'{key}')"


def last_slice(resource: str, condition: str) -> str:
    """Name the virtual table of last values; its condition stands in quotes, inner ones not doubled (17.4.9)."""
    return f"{resource}/SliceLast(Condition='{condition}')" if condition else f"{resource}/SliceLast()"
