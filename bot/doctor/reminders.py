"""Whether a company's clients are reminded of their visits, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence

from bot.company_outreach import NOT_ANSWERED, write_reminders
from bot.doctor.rows import Row, Status, ok, warn
from crm.base import Capability
from crm.registry import get_manifest
from db.records import Channel, ChannelStatus, ChannelType, CompanySnapshot
from handlers.whatsapp.options import TEMPLATES
from orchestration.reminders import TEMPLATE


async def look_at_reminders(snapshot: CompanySnapshot, channels: Sequence[Channel]) -> Sequence[Row]:
    """Return one row: what the owner has said, and what of it cannot be done."""
    what, leads = f"{snapshot.company.slug}: reminders", snapshot.agent.reminders
    if leads is None:
        advice = "say so in the company's file: `reminders: off` where it does, else `reminders: [24h, 2h]`"
        return [Row(what=what, status=Status.OK, detail=NOT_ANSWERED, advice=advice)]
    if not leads:
        return [ok(what, "off: the CRM sends them itself")]
    if snapshot.crm is None or Capability.LIST not in get_manifest(snapshot.crm.type).capabilities:
        advice = "set `reminders: off`, or a CRM in which appointments can be read"
        return [
            warn(what, "none is sent: a visit is read again in the CRM before each, and this one cannot be", advice)
        ]
    detail = f"{', '.join(write_reminders(leads) or ())} before a visit"
    without = [
        one.name
        for one in channels
        if one.type is ChannelType.WHATSAPP
        and one.status is ChannelStatus.ACTIVE
        and TEMPLATE not in (one.options.get(TEMPLATES) or {})
    ]
    if without:
        advice = "`ai-admin channel template ID reminder NAME` (docs/reminders.md)"
        return [
            Row(what=what, status=Status.OK, detail=f"{detail}; no template on {', '.join(without)}", advice=advice)
        ]
    return [ok(what, detail)]
