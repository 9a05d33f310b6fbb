"""Where a base is published and as whom it is asked, read from an account's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import SecretStr

from crm.account import Account
from crm.kept import scope_of
from crm.one_c.access import Access as Base
from crm.one_c.odata.mapping import Mapping
from crm.one_c.odata.mapping_file import load_mapping

INTERFACE = "/odata/standard.odata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`url` ends before the interface's own path and is percent-encoded; `authorization` follows `Basic`."""

    url: str
    user: str
    authorization: SecretStr
    password: SecretStr
    mapping: Mapping

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        base = Base.of(account)
        return cls(
            url=base.url,
            user=base.user,
            authorization=base.credentials,
            password=base.password,
            mapping=load_mapping(account.get_option("mapping")),
        )

    @property
    def scope(self) -> str:
        """Name this account's place in the cache: another mapping reads other things."""
        return scope_of("1c-odata", "", (self.url, self.user, self.mapping.model_dump_json()), (self.password,))
