"""What was changed in YCLIENTS: told by its webhook, and asked for since a moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crm.base import Hook, RecordId
from crm.errors import CRMInvalid
from crm.yclients.client import YclientsClient
from crm.yclients.wire import WireRecord


def records_told(hook: Hook, *, company_id: str) -> tuple[RecordId, ...]:
    """Return the record that a webhook names ("Webhooks": company_id, resource, resource_id, status, data).

    Its `data` may hold only what has changed, and anybody may have written it: only the id is taken. Raises CRMInvalid
    for what is no webhook of the vendor.
    """
    try:
        told = json.loads(hook.body)
    except (ValueError, RecursionError):
        raise CRMInvalid("yclients: not a webhook") from None
    if not isinstance(told, dict) or "resource" not in told:
        raise CRMInvalid("yclients: not a webhook")
    number = str(told.get("resource_id", ""))
    ours = told["resource"] == "record" and str(told.get("company_id")) == company_id
    return (RecordId(number),) if ours and number.isascii() and number.isdigit() and len(number) <= 20 else ()


async def list_changed(client: YclientsClient, since: datetime, *, zone: ZoneInfo) -> list[WireRecord]:
    """Return the records changed since a moment, deleted ones included.

    In which zone `changed_after` is read is not documented: the earlier of the two that come into question is asked
    for, and what was changed before is left out by the record's own `last_change_date`.
    """
    walls = (since.astimezone(UTC).replace(tzinfo=None), since.astimezone(zone).replace(tzinfo=None))
    filters = {"changed_after": min(walls).isoformat(timespec="seconds"), "with_deleted": "1"}
    found = await client.list_records(filters)
    return [one for one in found if one.last_changed is None or one.last_changed >= since]
