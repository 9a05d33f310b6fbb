"""The company's file, written: one canonical form. Read back and written again it is the same, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from bot.company_file import CompanyFile
from bot.company_hours import write_hours
from bot.company_outreach import write_quiet, write_reminders
from bot.company_schema import PlaceYaml
from db.catalogue import CatalogueService, PriceRange
from db.outreach_settings import outreach_to_json
from db.people_settings import people_to_json
from db.privacy import PrivacySettings, privacy_to_json
from db.quiet_hours import DEFAULT_QUIET
from db.records import Branch

_NEVER_FOLDED = 1_000_000
_ODD = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def write_company_file(file: CompanyFile) -> str:
    """Write the canonical form: fixed order, nothing that is absent or a default."""
    out = StringIO()
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.width = _NEVER_FOLDED
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(_document(file), out)
    return out.getvalue()


def _document(file: CompanyFile) -> dict[str, Any]:
    agent = file.agent
    single = len(file.branches) == 1 and file.branches[0].key == "main" and file.branches[0].name == file.name
    single = single and not agent.people.branch_modes
    fields: dict[str, Any] = {
        "name": file.name,
        "slug": file.slug,
        "email": file.email,
        "plan": file.plan if file.plan != "free" else None,
        "description": agent.description,
        "business_type": agent.business_type,
        "target_audience": agent.target_audience,
        "highlights": agent.highlights,
        "language": agent.language,
        "currency": agent.currency,
        # In production a company with a staff chat that chooses none begins with drafts.
        "mode": agent.mode if agent.mode != "always" or any(one.staff_chat for one in file.branches) else None,
        "model": agent.model,
        "quiet_seconds": _seconds(agent.quiet),
        "longest_gap_minutes": _count(agent.longest_gap),
        "budget": {"soft": _dollars(agent.budget.soft), "hard": _dollars(agent.budget.hard)},
        "tell_clients_of_crm_changes": None if agent.tell_of_crm_changes else False,
        "reminders": write_reminders(agent.reminders),
        "quiet_hours": write_quiet(agent.quiet_hours) if agent.quiet_hours != DEFAULT_QUIET else None,
        "privacy": _privacy(agent.privacy),
        "outreach": outreach_to_json(agent.outreach),
        "people": people_to_json(replace(agent.people, branch_modes={})),
        "most_open_bookings": agent.most_open_bookings if agent.most_open_bookings != 5 else None,
        **(_place(file.branches[0]) if single else {}),
        "branches": []
        if single
        else [
            {"key": one.key, "name": one.name, **_place(one), "mode": agent.people.branch_modes.get(one.key)}
            for one in file.branches
        ],
        "services": [_write_service(service) for service in agent.services],
        "products": [
            {"name": one.name, "description": one.description, "price": _write_price(one.price)}
            for one in agent.products
        ],
        "faq": [{"question": one.question, "answer": one.answer} for one in agent.faq],
        "policies": dict(agent.policies),
        "instructions": agent.instructions,
        "crm": {"type": file.crm_type, **file.crm_options} if file.crm_type else None,
        "channels": [channel.value for channel in file.channels],
    }
    document: dict[str, Any] = _present(fields)
    return document


def _privacy(privacy: PrivacySettings) -> dict[str, Any]:
    written = privacy_to_json(privacy)
    keep = written.pop("keep", {})
    return {**written, "keep_days": keep}


def _place(branch: Branch) -> dict[str, Any]:
    values = {name: getattr(branch, name) for name in PlaceYaml.model_fields}
    return {**values, "hours": write_hours(branch.hours)}


def _write_service(service: CatalogueService) -> dict[str, Any]:
    return {
        "name": service.name,
        "crm_id": service.crm_id,
        "description": service.description,
        "price": _write_price(service.price),
        "duration": _count(service.duration),
        "booking": service.booking.value if service.booking.value != "agent" else None,
        "link": service.link,
        "ask_before": list(service.ask_before),
        "overrides": [
            {
                "branch": one.branch,
                "master": one.master,
                "price": _write_price(one.price),
                "duration": _count(one.duration),
            }
            for one in service.overrides
        ],
    }


def _present(value: Any) -> Any:
    """Leave out what is absent or empty, at every depth."""
    if isinstance(value, Mapping):
        kept = {_present(key): _present(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one is not None and one != [] and one != {}}
    if isinstance(value, str):
        return _words(value)
    return [_present(one) for one in value] if isinstance(value, list) else value


def _words(text: str) -> str:
    """Write several lines as a block, and what is no plain letter escaped: YAML reads some of them as line ends."""
    if _ODD.search(text):
        written: str = DoubleQuotedScalarString(text)
    else:
        written = LiteralScalarString(text) if "\n" in text else text
    return written


def _write_price(price: PriceRange | None) -> int | str | None:
    if price is None:
        return None
    amounts = [_amount(part) for part in (price.low, price.high) if part is not None]
    return int(amounts[0]) if len(amounts) == 1 and "." not in amounts[0] else "-".join(amounts)


def _amount(minor_units: int) -> str:
    whole, rest = divmod(minor_units, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


def _count(length: timedelta | None) -> int | None:
    return round(length.total_seconds() / 60) if length is not None else None


def _dollars(cents: int | None) -> int | float | None:
    if cents is None:
        return None
    return cents // 100 if cents % 100 == 0 else cents / 100


def _seconds(length: timedelta | None) -> int | float | None:
    if length is None:
        return None
    seconds = length.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
