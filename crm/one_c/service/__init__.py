"""1C:Enterprise by the HTTP service that docs/crm-1c.md describes and the base's own programmer writes."""

from __future__ import annotations

from crm.base import Capability

CAPABILITIES = frozenset(set(Capability) - {Capability.BOOKING_PAGE, Capability.CONFIRM})
"""The most that a service can do: the parts that an account's settings leave out it lacks."""

DOCUMENTS = (
    "docs/crm-1c.md (the contract, ours)",
    "https://its.1c.ru/db/v8327doc (1C:Enterprise 8.3.27, Developer's guide, 17: web services and HTTP services)",
)
