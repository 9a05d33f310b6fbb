"""Where a 1C base is published and as whom it is asked, read from an account's settings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from crm.account import Account
from crm.addresses import require_safe
from crm.errors import CRMNotConfigured
from crm.kept import scope_of

INTERFACES = ("/hs/", "/odata/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`url` is the base's, percent-encoded, without a slash at its end; `credentials` are what follows `Basic`."""

    url: str
    user: str
    password: SecretStr
    credentials: SecretStr

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        user, password = account.get_option("user"), account.get_secret("password")
        if ":" in user:
            raise CRMNotConfigured("1c: the field user holds a colon, where Basic authentication ends a name")
        # Names and passwords are often Cyrillic: the platform reads them as UTF-8.
        pair = f"{user}:{password.get_secret_value()}".encode()
        return cls(
            url=_base_url(account.get_option("base_url")),
            user=user,
            password=password,
            credentials=SecretStr(base64.b64encode(pair).decode()),
        )

    @property
    def authorization(self) -> str:
        return f"Basic {self.credentials.get_secret_value()}"

    @property
    def scope(self) -> str:
        """Name this account's place in the cache."""
        return scope_of("1c", "", (self.url, self.user), (self.password,))


def _base_url(text: str) -> str:
    """Return the base's address without an interface's path. Raises CRMNotConfigured for one that is not safe."""
    url = text
    for interface in INTERFACES:
        url = f"{url}/".partition(interface)[0]
    parts = urlsplit(require_safe(url, crm="1c", field="base_url"))
    return f"{parts.scheme}://{parts.netloc}{quote(unquote(parts.path))}"
