"""The portal's events: forms that name what has changed by its id alone ("Events", REST documentation).

They come from a queue server, late, once, and never again. Anybody can send such a form, so it is a hint and no fact:
the record is read again. An application's events carry tokens of the user who acted too, which are left unread.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl

from pydantic import SecretStr

from crm.base import Hook, RecordId
from crm.errors import CRMAuthFailed, CRMInvalid

BOOKINGS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("ONBOOKINGADD", "ONBOOKINGUPDATE", "ONBOOKINGDELETE"), "data[ID]")
)
DEALS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE"), "data[FIELDS][ID]")
)
"""Events that are about a visit, by what a visit is, and where each has its number: bookings' have no FIELDS."""
MOST_FIELDS = 200


def read_event(hook: Hook, *, about: Mapping[str, str], token: SecretStr | None) -> tuple[RecordId, ...]:
    """Return the record that the event is about, none where it is about something else.

    `token`: the application_token that it must carry; None: the settings hold none. Raises CRMInvalid for what is no
    event, CRMAuthFailed for another token.
    """
    fields = _fields(hook)
    if not fields.get("event"):
        raise CRMInvalid("bitrix24: not an event of a portal")
    if token is not None and not _carries(fields, token):
        raise CRMAuthFailed("bitrix24: the event carries another application_token")
    number = fields.get(about.get(fields["event"].upper(), ""), "")
    return (RecordId(number),) if re.fullmatch(r"[0-9]{1,12}", number) else ()


def is_portals(hook: Hook, secrets: Mapping[str, SecretStr]) -> bool:
    """Say whether the event carries the portal's application_token, in constant time; True where none is set."""
    token = secrets.get("application_token")
    if token is None or not token.get_secret_value():
        return True
    try:
        return _carries(_fields(hook), token)
    except CRMInvalid:
        return False


def _fields(hook: Hook) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(hook.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise CRMInvalid("bitrix24: not an event of a portal") from None


def _carries(fields: Mapping[str, str], token: SecretStr) -> bool:
    signed = fields.get("auth[application_token]", "").encode()
    return hmac.compare_digest(signed, token.get_secret_value().strip().encode())
