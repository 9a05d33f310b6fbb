"""Which adapter a base has: by the interface that the account's settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from crm.account import Account, Clock
from crm.base import BaseCRMAdapter, Cache, Pace
from crm.errors import CRMNotConfigured
from crm.http import CRMHttp
from crm.one_c import MANIFEST, ODATA, SERVICE
from crm.one_c.odata.adapter import ODataAdapter
from crm.one_c.service.adapter import OneCServiceAdapter

BY_INTERFACE: Mapping[str, Callable[..., BaseCRMAdapter]] = MappingProxyType(
    {SERVICE: OneCServiceAdapter, ODATA: ODataAdapter}
)


class OneCAdapters:
    """Makes the adapter of a base's interface."""

    manifest = MANIFEST

    def __call__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> BaseCRMAdapter:
        """Raises CRMNotConfigured with the name of the field at fault."""
        interface = account.get_option("interface").lower()
        if interface not in BY_INTERFACE:
            raise CRMNotConfigured(f"1c: the field interface must be one of {', '.join(BY_INTERFACE)}")
        return BY_INTERFACE[interface](account, http=http, pace=pace, cache=cache, clock=clock)
