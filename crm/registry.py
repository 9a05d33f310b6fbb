"""The only list of CRMs, and the factory that makes a branch's adapter from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from crm.account import Account, Clock
from crm.aged import Aged
from crm.base import BaseCRMAdapter, Cache, Hook, Manifest, Pace
from crm.bitrix24.adapter import Bitrix24Adapter
from crm.bitrix24.events import is_portals
from crm.dikidi.adapter import DikidiAdapter
from crm.errors import CRMNotConfigured
from crm.guard import Caller
from crm.http import CRMHttp
from crm.kept import scope_of
from crm.kept_adapter import KeptAdapter, Noticed
from crm.one_c.adapter import OneCAdapters
from crm.one_c.service.hook import is_bases
from crm.yclients.adapter import YclientsAdapter


class AdapterClass(Protocol):
    """What every adapter is made from."""

    manifest: Manifest

    def __call__(
        self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock
    ) -> BaseCRMAdapter: ...


ADAPTERS: Mapping[str, AdapterClass] = MappingProxyType(
    {"yclients": YclientsAdapter, "bitrix24": Bitrix24Adapter, "1c": OneCAdapters(), "dikidi": DikidiAdapter}
)


def list_manifests() -> tuple[Manifest, ...]:
    """Return what each CRM asks for and can do."""
    return tuple(adapter.manifest for adapter in ADAPTERS.values())


def get_manifest(crm_type: str) -> Manifest:
    """Return one CRM's manifest. Raises CRMNotConfigured for an unknown type."""
    return _get_adapter(crm_type).manifest


def may_lessen(crm_type: str) -> bool:
    """Say whether what an account of this CRM can do may change by itself."""
    return crm_type in ADAPTERS and ADAPTERS[crm_type].manifest.may_lessen


_HOOK_PROOFS: Mapping[str, Callable[[Hook, Mapping[str, SecretStr]], bool]] = MappingProxyType(
    {"bitrix24": is_portals, "1c": is_bases}
)


def proves_hook(crm_type: str, secrets: Mapping[str, SecretStr], hook: Hook) -> bool:
    """Say whether a CRM's webhook carries the secret that the company has set for it; True where none is set.

    Needs no adapter: it is asked at the door. Whoever reads the hook later looks again.
    """
    proof = _HOOK_PROOFS.get(crm_type)
    return proof is None or proof(hook, secrets)


class CRMFactory:
    """Makes adapters, each with its answers kept. They are cheap: connections, pace and cache are shared."""

    def __init__(
        self,
        http: CRMHttp,
        pace: Pace,
        cache: Cache,
        clock: Clock,
        *,
        adapters: Mapping[str, AdapterClass] = ADAPTERS,
    ) -> None:
        self._http = http
        self._adapters = adapters
        self._pace = pace
        self._cache = cache
        self._clock = clock

    def create(
        self,
        crm_type: str,
        *,
        options: Mapping[str, str],
        secrets: Mapping[str, SecretStr],
        account_id: str | None,
        time_zone: str,
        company: str = "",
        noticed: Noticed | None = None,
    ) -> BaseCRMAdapter:
        """Make a branch's adapter; asks the CRM nothing. Raises CRMNotConfigured with the name of the field at fault.

        `account_id` is the branch's own id in the CRM, None where `options` hold it. `time_zone` is an IANA name, used
        where the CRM gives none. `company` has an outgoing address, a share of the vendor's limits and kept answers of
        its own. `noticed` is told when the catalogue is read, by one who refreshes it in the background.
        """
        adapter = _get_adapter(crm_type, self._adapters)
        account = _account(adapter.manifest, options, secrets, account_id, time_zone)
        place = _place_of(account)
        http = self._http.of(Caller(company=company, account=place))
        inner = adapter(account, http=http, pace=self._pace, cache=self._cache, clock=self._clock)
        return KeptAdapter(inner, Aged(self._cache, f"{company}:{place}", self._clock), http.guard, noticed)


def _get_adapter(crm_type: str, adapters: Mapping[str, AdapterClass] = ADAPTERS) -> AdapterClass:
    try:
        return adapters[crm_type]
    except KeyError:
        raise CRMNotConfigured(f"unknown crm type {crm_type!r}: one of {', '.join(adapters)}") from None


def _place_of(account: Account) -> str:
    """Name the account among all: other settings or credentials are another one."""
    options = [f"{name}={value}" for name, value in sorted(account.options.items())]
    secrets = [secret for _, secret in sorted(account.secrets.items())]
    return scope_of(account.type, account.account_id or "", (*options, account.time_zone.key), secrets)


def _account(
    manifest: Manifest,
    options: Mapping[str, str],
    secrets: Mapping[str, SecretStr],
    account_id: str | None,
    time_zone: str,
) -> Account:
    kept: dict[str, str] = {}
    hidden: dict[str, SecretStr] = {}
    for field in manifest.fields:
        hiding = secrets.get(field.name) if field.secret else None
        given = hiding.get_secret_value() if hiding else "" if field.secret else options.get(field.name, "")
        value = given.strip() or field.default
        if value is None:
            if field.required:
                raise CRMNotConfigured(f"{manifest.type}: the field {field.name} is not set")
        elif not value.isprintable() or (field.secret and not field.any_letters and not value.isascii()):
            raise CRMNotConfigured(f"{manifest.type}: the field {field.name} holds characters it cannot have")
        elif field.secret:
            hidden[field.name] = SecretStr(value)
        else:
            kept[field.name] = value
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        raise CRMNotConfigured(f"{manifest.type}: the field time_zone is not an IANA name: {time_zone!r}") from None
    account = (account_id or "").strip() or None
    return Account(type=manifest.type, options=kept, secrets=hidden, account_id=account, time_zone=zone)
