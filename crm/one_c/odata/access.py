"""Where a base is published and as whom it is asked, read from an account's settings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from crm.account import Account
from crm.errors import CRMNotConfigured
from crm.kept import scope_of
from crm.one_c.odata.mapping import Mapping
from crm.one_c.odata.mapping_file import load_mapping

LOOPBACK = ("localhost", "127.0.0.1", "::1")
INTERFACE = "/odata/standard.odata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`url` ends before the interface's own path and is percent-encoded; `authorization` is the whole header."""

    url: str
    user: str
    authorization: SecretStr
    password: SecretStr
    mapping: Mapping

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        user, password = account.get_option("user"), account.get_secret("password")
        if ":" in user:
            raise CRMNotConfigured("1c: the field user must not hold a colon: Basic authentication ends the name there")
        pair = f"{user}:{password.get_secret_value()}".encode()
        return cls(
            url=_url(account.get_option("base_url")),
            user=user,
            authorization=SecretStr(base64.b64encode(pair).decode()),
            password=password,
            mapping=load_mapping(account.get_option("mapping")),
        )

    @property
    def scope(self) -> str:
        """Name this account's place in the cache: another mapping reads other things."""
        return scope_of("1c-odata", "", (self.url, self.user, self.mapping.model_dump_json()), (self.password,))


def _url(text: str) -> str:
    """Return the base's address. The password goes out in the clear to this very machine only."""
    url = text.strip().rstrip("/").removesuffix(INTERFACE)
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        plain = parts.port != 0 and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        known = plain = False
    if not (known and plain and parts.hostname):
        raise CRMNotConfigured("1c: the field base_url must be an https address without credentials")
    return f"{parts.scheme}://{parts.netloc}{quote(unquote(parts.path))}"
