"""A branch's adapter made as production makes it: by the factory, from settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from crm.base import BaseCRMAdapter
from crm.http import CRMHttp
from crm.registry import CRMFactory

TOKENS = {"partner_token": "partner-token-1", "user_token": "user-token-1"}
Make = Callable[..., BaseCRMAdapter]


@pytest.fixture
def factory(http: CRMHttp, pace: Any, cache: Any, clock: Any) -> CRMFactory:
    return CRMFactory(http, pace, cache, clock)


@pytest.fixture
def make(factory: CRMFactory) -> Make:
    """Make an adapter for an address; tokens, branch and settings may be named."""

    def making(
        api_url: str,
        *,
        secrets: Mapping[str, str] = TOKENS,
        account_id: str | None = "4564",
        time_zone: str = "Europe/Moscow",
        **options: str,
    ) -> BaseCRMAdapter:
        return factory.create(
            "yclients",
            options={"api_url": api_url, **options},
            secrets={name: SecretStr(value) for name, value in secrets.items()},
            account_id=account_id,
            time_zone=time_zone,
        )

    return making
