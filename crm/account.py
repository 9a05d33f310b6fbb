"""What one branch's connection to its CRM is made of, checked against the CRM's manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from crm.errors import CRMNotConfigured

Clock = Callable[[], datetime]
"""Tells the time: an aware datetime in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One branch's settings, defaults of the manifest filled in; empty values are left out.

    `account_id` is the branch's own id in the CRM, None where the company's settings name it or the CRM needs none.
    """

    type: str
    options: Mapping[str, str]
    secrets: Mapping[str, SecretStr]
    account_id: str | None
    time_zone: ZoneInfo

    def get_option(self, name: str) -> str:
        """Return a setting. Raises CRMNotConfigured with the field's name where there is none."""
        value = self.options.get(name)
        if value is None:
            raise CRMNotConfigured(f"{self.type}: the field {name} is not set")
        return value

    def find_option(self, name: str) -> str | None:
        return self.options.get(name)

    def get_secret(self, name: str) -> SecretStr:
        """Return a secret. Raises CRMNotConfigured with the field's name where there is none."""
        value = self.secrets.get(name)
        if value is None:
            raise CRMNotConfigured(f"{self.type}: the field {name} is not set")
        return value
