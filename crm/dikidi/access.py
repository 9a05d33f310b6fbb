"""Which company's widget is asked, and how far it may be used: read from the branch's settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from crm.account import Account
from crm.addresses import require_safe
from crm.dikidi import BY_MODE
from crm.errors import CRMNotConfigured
from crm.kept import scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    site_url: str
    company_id: str
    mode: str
    currency: str
    page_url: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        company_id = account.account_id or account.find_option("company_id") or ""
        if not re.fullmatch(r"[0-9]{1,12}", company_id):
            raise CRMNotConfigured("dikidi: the field company_id (or the branch's own account id) must be a number")
        mode = account.get_option("mode").lower()
        if mode not in BY_MODE:
            raise CRMNotConfigured(f"dikidi: the field mode must be one of {', '.join(BY_MODE)}")
        currency = account.get_option("currency").upper()
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise CRMNotConfigured("dikidi: the field currency must be a code of three letters, as RUB")
        page_url = account.find_option("page_url") or f"https://dikidi.net/{company_id}"
        if not page_url.startswith("https://"):
            raise CRMNotConfigured("dikidi: the field page_url must be an https address")
        return cls(
            site_url=require_safe(account.get_option("site_url"), crm="dikidi", field="site_url"),
            company_id=company_id,
            mode=mode,
            currency=currency,
            page_url=page_url,
        )

    @property
    def scope(self) -> str:
        """Name this account's place in the cache."""
        return scope_of("dikidi", self.company_id, (self.site_url, self.mode), ())
