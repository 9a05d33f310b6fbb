"""Where a branch's account is and as whom it is asked, read from its settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from pydantic import SecretStr

from crm.account import Account
from crm.addresses import require_safe
from crm.errors import CRMNotConfigured
from crm.kept import scope_of
from crm.yclients import ALTEGIO_URL, YCLIENTS_URL

FLAVOURS = ("yclients", "altegio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`widget_url` None: the CRM may name one."""

    api_url: str
    flavour: str
    company_id: str
    partner_token: SecretStr
    user_token: SecretStr
    widget_url: str | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        flavour = account.get_option("flavour").lower()
        if flavour not in FLAVOURS:
            raise CRMNotConfigured(f"yclients: the field flavour must be one of {', '.join(FLAVOURS)}")
        company_id = account.account_id or account.find_option("company_id") or ""
        if not re.fullmatch(r"[0-9]{1,20}", company_id):
            raise CRMNotConfigured("yclients: the field company_id (or the branch's own account id) must be a number")
        widget_url = account.find_option("widget_url")
        if widget_url is not None and not widget_url.startswith("https://"):
            raise CRMNotConfigured("yclients: the field widget_url must be an https address")
        return cls(
            api_url=_api_url(account.get_option("api_url"), flavour),
            flavour=flavour,
            company_id=company_id,
            partner_token=account.get_secret("partner_token"),
            user_token=account.get_secret("user_token"),
            widget_url=widget_url,
        )

    @property
    def scope(self) -> str:
        """Name this account's place in the cache."""
        tokens = (self.partner_token, self.user_token)
        return scope_of("yclients", self.company_id, (self.api_url, self.flavour), tokens)


def _api_url(text: str, flavour: str) -> str:
    """Return the address without the version's path."""
    url = text.rstrip("/").removesuffix("/api/v1")
    if flavour == "altegio" and url == YCLIENTS_URL:
        return ALTEGIO_URL
    return require_safe(url, crm="yclients", field="api_url")
