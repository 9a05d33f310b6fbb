"""Which portal is asked, as whom, and how its people keep their services: read from the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from crm.account import Account
from crm.addresses import require_safe
from crm.bitrix24.hours import hours_of
from crm.errors import CRMNotConfigured
from crm.kept import scope_of

VISITS = ("deal", "lead", "none")
BOOKING, CALENDAR = "booking", "calendar"
DEFAULT_STEP = 30
FIELD_NAME = r"UF_CRM_[A-Z0-9_]{1,60}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application that is installed in the portal, and the renewal token that it was authorized with."""

    oauth_url: str
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`base_url` of an inbound webhook holds its code: it is a credential itself. `application` None: a webhook.

    Numbers of properties are None where not set. `step`: minutes from one offered time to the next (mode calendar).
    """

    base_url: SecretStr
    portal: str
    credentials: tuple[SecretStr, ...]
    application: Application | None
    application_token: SecretStr | None
    catalogue_id: int | None
    duration_property: int | None
    masters_property: int | None
    resource_type: int | None
    visit_as: str
    funnel: int
    stage: str | None
    mode: str
    booking_field: str | None
    hours: str | None
    step: int
    cancelled_stage: str | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Read an account's settings. Raises CRMNotConfigured with the name of the field at fault."""
        entry = _webhook(account) if "webhook_url" in account.secrets else _application(account)
        visit_as = account.get_option("visit_as").lower()
        if visit_as not in VISITS:
            raise CRMNotConfigured(f"bitrix24: the field visit_as must be one of {', '.join(VISITS)}")
        mode = account.get_option("mode").lower()
        if mode not in (BOOKING, CALENDAR):
            raise CRMNotConfigured(f"bitrix24: the field mode must be {BOOKING} or {CALENDAR}")
        if mode == CALENDAR and visit_as != "deal":
            raise CRMNotConfigured("bitrix24: in the mode calendar a visit is a deal: the field visit_as must say so")
        field = account.find_option("booking_field")
        if field is not None and not re.fullmatch(FIELD_NAME, field):
            raise CRMNotConfigured("bitrix24: the field booking_field must be a name as UF_CRM_1709565075")
        step, hours = _number(account, "step") or DEFAULT_STEP, account.find_option("hours")
        if hours is not None:
            hours_of(hours, zone=account.time_zone.key, step=step)  # a mistake is told when it is made
        return cls(
            base_url=entry.base_url,
            portal=entry.portal,
            credentials=entry.credentials,
            application=entry.application,
            application_token=account.secrets.get("application_token"),
            catalogue_id=_number(account, "catalogue_id"),
            duration_property=_number(account, "duration_property"),
            masters_property=_number(account, "masters_property"),
            resource_type=_number(account, "resource_type"),
            visit_as=visit_as,
            funnel=_number(account, "funnel") or 0,
            stage=account.find_option("stage"),
            mode=mode,
            booking_field=field,
            hours=hours,
            step=step,
            cancelled_stage=account.find_option("cancelled_stage"),
        )

    @property
    def portal_scope(self) -> str:
        """Name the portal's place in the cache (tokens, limits): one for all branches, whatever else they set."""
        return scope_of("bitrix24", self.portal, (), self.credentials)

    @property
    def scope(self) -> str:
        """Name this account's place in the cache."""
        chosen = (
            *(self.catalogue_id, self.duration_property, self.masters_property, self.resource_type),
            *(self.mode, self.booking_field, self.hours, self.step),
        )
        return scope_of("bitrix24", self.portal, tuple(map(str, chosen)), self.credentials)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    base_url: SecretStr
    portal: str
    credentials: tuple[SecretStr, ...]
    application: Application | None = None


def _webhook(account: Account) -> _Entry:
    """Read an inbound webhook: the portal, the employee and the code, all in one address."""
    if account.find_option("portal"):
        raise CRMNotConfigured("bitrix24: either the field webhook_url or the field portal is set, not both")
    url = account.get_secret("webhook_url").get_secret_value().rstrip("/")
    parts = urlsplit(url)
    found = re.fullmatch(r"/rest/\d+/([A-Za-z0-9]{6,64})", parts.path)
    if found is None:
        raise CRMNotConfigured("bitrix24: the field webhook_url must look like https://PORTAL/rest/1/CODE/")
    require_safe(url, crm="bitrix24", field="webhook_url")
    return _Entry(base_url=SecretStr(url), portal=parts.netloc, credentials=(SecretStr(url), SecretStr(found[1])))


def _application(account: Account) -> _Entry:
    """Read an application's keys and its first renewal token."""
    if account.find_option("portal") is None:
        raise CRMNotConfigured("bitrix24: the field webhook_url is not set, nor portal with an application's keys")
    url = require_safe(account.get_option("portal"), crm="bitrix24", field="portal")
    if urlsplit(url).path:
        raise CRMNotConfigured("bitrix24: the field portal must look like https://salon.bitrix24.ru")
    application = Application(
        oauth_url=require_safe(account.get_option("oauth_url"), crm="bitrix24", field="oauth_url"),
        client_id=account.get_option("client_id"),
        client_secret=account.get_secret("client_secret"),
        refresh_token=account.get_secret("refresh_token"),
    )
    return _Entry(
        base_url=SecretStr(f"{url}/rest"),
        portal=urlsplit(url).netloc,
        credentials=(application.client_secret, application.refresh_token),
        application=application,
    )


def _number(account: Account, name: str) -> int | None:
    text = account.find_option(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise CRMNotConfigured(f"bitrix24: the field {name} must be a number")
    return int(text)
