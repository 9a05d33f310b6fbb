"""1C:Enterprise by its standard OData interface: which objects carry what is said by a mapping of the base."""

from __future__ import annotations

from crm.base import Capability

CAPABILITIES = frozenset(
    {
        Capability.CATALOGUE,
        Capability.SLOTS,
        Capability.STAFF_CHOICE,
        Capability.CREATE,
        Capability.MOVE,
        Capability.CANCEL,
        Capability.LIST,
        Capability.CLIENTS,
        Capability.FIND_BY_EXTERNAL_ID,
        Capability.IDEMPOTENT_CREATE,
        Capability.CHANGES,
        Capability.DAY,
    }
)
"""The most that a mapping can give; what a certain one leaves out an account lacks."""

DOCUMENTS = (
    "https://its.1c.ru/db/v8327doc (1C:Enterprise 8.3.27, Developer's guide, 17.4 Standard OData interface)",
    "https://github.com/hacker-cb/1c-odata (docs/1c: the same chapter)",
)
