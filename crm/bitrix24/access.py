"""Which portal is asked, with which rights, and how its people keep their services: read from the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from crm.account import Account
from crm.addresses import require_safe
from crm.errors import CRMNotConfigured
from crm.kept import scope_of

VISITS = ("deal", "lead", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`base_url` holds the webhook's code: it is a credential itself. Numbers of properties are None where not set."""

    base_url: SecretStr
    code: SecretStr
    portal: str
    application_token: SecretStr | None
    catalogue_id: int | None
    duration_property: int | None
    masters_property: int | None
    resource_type: int | None
    visit_as: str
    funnel: int
    stage: str | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        url = account.get_secret("webhook_url").get_secret_value().rstrip("/")
        parts = urlsplit(url)
        found = re.fullmatch(r"/rest/\d+/([A-Za-z0-9]{6,64})", parts.path)
        if found is None:
            raise CRMNotConfigured("bitrix24: the field webhook_url must look like https://PORTAL/rest/1/CODE/")
        require_safe(url, crm="bitrix24", field="webhook_url")
        visit_as = account.get_option("visit_as").lower()
        if visit_as not in VISITS:
            raise CRMNotConfigured(f"bitrix24: the field visit_as must be one of {', '.join(VISITS)}")
        return cls(
            base_url=SecretStr(url),
            code=SecretStr(found[1]),
            portal=parts.netloc,
            application_token=account.secrets.get("application_token"),
            catalogue_id=_number(account, "catalogue_id"),
            duration_property=_number(account, "duration_property"),
            masters_property=_number(account, "masters_property"),
            resource_type=_number(account, "resource_type"),
            visit_as=visit_as,
            funnel=_number(account, "funnel") or 0,
            stage=account.find_option("stage"),
        )

    @property
    def scope(self) -> str:
        """Name this account's place in the cache."""
        chosen = (self.catalogue_id, self.duration_property, self.masters_property, self.resource_type)
        return scope_of("bitrix24", self.portal, tuple(map(str, chosen)), (self.base_url,))


def _number(account: Account, name: str) -> int | None:
    text = account.find_option(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise CRMNotConfigured(f"bitrix24: the field {name} must be a number")
    return int(text)
