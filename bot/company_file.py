"""The company's YAML file: parsed with line numbers, every error at once; written back in one canonical form.

What `write_company_file` writes, `parse_company_file` reads, and writing that again gives the same bytes. Comments are
for people: they do not outlive an import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from io import StringIO
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from bot.company_schema import BranchYaml, CompanyYaml, PlaceYaml, ServiceYaml
from db.records import (
    AgentSettings,
    Branch,
    BranchId,
    CatalogueProduct,
    CatalogueService,
    Hours,
    Interval,
    PriceRange,
    Question,
    ServiceOverride,
    new_id,
)

_LARGEST = 1024 * 1024
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEFAULT_ZONE = "Europe/Moscow"
_PLACE = ("address", "phone", "time_zone", "hours", "crm_account_id", "staff_chat")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFile:
    """What one file says. Secrets are never in it. A single branch has the key `main`."""

    slug: str | None
    name: str
    email: str | None
    plan: str
    agent: AgentSettings
    branches: tuple[Branch, ...]
    crm_type: str | None
    crm_options: Mapping[str, str]
    channels: tuple[str, ...]


class CompanyFileErrors(Exception):
    """Everything that is wrong with a file, each with its line."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(f"  line {line}: {text}" for line, text in self.faults))


def parse_company_file(text: str) -> CompanyFile:
    """Read a file. Raises CompanyFileErrors, which names every error at once."""
    if len(text) > _LARGEST:
        raise CompanyFileErrors([(1, "the file is larger than 1 MB")])
    try:
        raw = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CompanyFileErrors([(line, f"not YAML: {error.problem}")]) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise CompanyFileErrors([(1, f"not YAML: {error}")]) from error
    if not isinstance(raw, CommentedMap):
        raise CompanyFileErrors([(1, "a company's file is a list of fields, such as `name: …`")])
    try:
        parsed = CompanyYaml.model_validate(_plain(raw))
    except ValidationError as error:
        faults = [_fault(raw, fault["loc"], fault["msg"], fault["type"]) for fault in error.errors()]
        raise CompanyFileErrors(list(dict.fromkeys(faults))) from error
    return _to_records(parsed)


def write_company_file(file: CompanyFile) -> str:
    """Write the canonical form: fixed order, nothing that is absent or a default."""
    out = StringIO()
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(_document(file), out)
    return out.getvalue()


# ---- reading


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq | list):
        return [_plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


def _fault(raw: CommentedMap, where: tuple[int | str, ...], message: str, kind: str) -> tuple[int, str]:
    """Say an error with its line and path; an unknown field with what was probably meant."""
    line, node = 1, raw
    path: list[str] = []
    for step in where:
        try:
            position = node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step)
            line = position[0] + 1
            node = node[step]
        except (KeyError, IndexError, TypeError, AttributeError):
            if not isinstance(step, int) and kind != "missing":
                continue
        path.append(str(step + 1) if isinstance(step, int) else str(step))
    text = message.removeprefix("Value error, ")
    if kind == "extra_forbidden":
        near = get_close_matches(str(where[-1]), _known_fields(), n=1)
        text = f"unknown field{f', did you mean {near[0]!r}?' if near else ''}"
    elif kind == "missing":
        text = "is missing"
    return line, f"{'.'.join(path)}: {text}" if path else text


def _known_fields() -> list[str]:
    return [*CompanyYaml.model_fields, *ServiceYaml.model_fields, *BranchYaml.model_fields]


def _to_records(yaml: CompanyYaml) -> CompanyFile:
    agent = AgentSettings(
        description=yaml.description,
        business_type=yaml.business_type,
        target_audience=yaml.target_audience,
        highlights=yaml.highlights,
        services=tuple(_service(service) for service in yaml.services),
        products=tuple(
            CatalogueProduct(name=product.name, description=product.description, price=product.price)
            for product in yaml.products
        ),
        faq=tuple(Question(question=one.question, answer=one.answer) for one in yaml.faq),
        policies=dict(yaml.policies),
        instructions=yaml.instructions,
        language=yaml.language,
        currency=yaml.currency,
        mode=yaml.mode,
        model=yaml.model,
        quiet=timedelta(seconds=yaml.quiet_seconds) if yaml.quiet_seconds is not None else None,
    )
    branches = [_branch(branch, branch.key, branch.name) for branch in yaml.branches]
    options = {name: str(value) for name, value in ((yaml.crm.model_extra or {}) if yaml.crm else {}).items()}
    return CompanyFile(
        slug=yaml.slug,
        name=yaml.name,
        email=yaml.email,
        plan=yaml.plan,
        agent=agent,
        branches=tuple(branches or [_branch(yaml, "main", yaml.name)]),
        crm_type=yaml.crm.type if yaml.crm else None,
        crm_options=dict(sorted(options.items())),
        channels=tuple(channel.value for channel in yaml.channels),
    )


def _service(yaml: ServiceYaml) -> CatalogueService:
    return CatalogueService(
        name=yaml.name,
        crm_id=yaml.crm_id,
        description=yaml.description,
        price=yaml.price,
        duration=_minutes(yaml.duration),
        booking=yaml.booking,
        link=yaml.link,
        ask_before=tuple(yaml.ask_before),
        overrides=tuple(
            ServiceOverride(branch=one.branch, master=one.master, price=one.price, duration=_minutes(one.duration))
            for one in yaml.overrides
        ),
    )


def _branch(yaml: PlaceYaml, key: str, name: str) -> Branch:
    return Branch(
        id=BranchId(new_id()),
        key=key,
        name=name,
        time_zone=yaml.time_zone or _DEFAULT_ZONE,
        address=yaml.address,
        phone=yaml.phone,
        hours=yaml.hours,
        crm_account_id=yaml.crm_account_id,
        staff_chat=yaml.staff_chat,
    )


def _minutes(count: int | None) -> timedelta | None:
    return timedelta(minutes=count) if count is not None else None


# ---- writing


def _document(file: CompanyFile) -> dict[str, Any]:
    agent = file.agent
    single = len(file.branches) == 1 and file.branches[0].key == "main" and file.branches[0].name == file.name
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
        "mode": agent.mode if agent.mode != "always" else None,
        "model": agent.model,
        "quiet_seconds": agent.quiet.total_seconds() if agent.quiet is not None else None,
        **(_place(file.branches[0]) if single else {}),
        "branches": [] if single else [{"key": b.key, "name": b.name, **_place(b)} for b in file.branches],
        "services": [_write_service(service) for service in agent.services],
        "products": [
            {"name": one.name, "description": one.description, "price": _write_price(one.price)}
            for one in agent.products
        ],
        "faq": [{"question": one.question, "answer": one.answer} for one in agent.faq],
        "policies": dict(agent.policies),
        "instructions": agent.instructions,
        "crm": {"type": file.crm_type, **file.crm_options} if file.crm_type else None,
        "channels": list(file.channels),
    }
    document: dict[str, Any] = _present(fields)
    return document


def _place(branch: Branch) -> dict[str, Any]:
    values = {name: getattr(branch, name) for name in _PLACE}
    return {**values, "hours": _write_hours(branch.hours)}


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
        kept = {key: _present(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one is not None and one != [] and one != {}}
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return [_present(one) for one in value] if isinstance(value, list) else value


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


def _write_hours(hours: Hours | None) -> dict[str, Any] | None:
    if hours is None:
        return None
    written: dict[str, Any] = {}
    days = sorted(hours.weekly)
    while days:
        first = last = days.pop(0)
        while days and days[0] == last + 1 and hours.weekly[days[0]] == hours.weekly[first]:
            last = days.pop(0)
        name = _WEEKDAYS[first] if first == last else f"{_WEEKDAYS[first]}-{_WEEKDAYS[last]}"
        written[name] = _write_intervals(hours.weekly[first])
    if hours.exceptions:
        written["exceptions"] = {day: _write_intervals(times) for day, times in sorted(hours.exceptions.items())}
    return written


def _write_intervals(intervals: Sequence[Interval]) -> str:
    if not intervals:
        return "closed"
    return ", ".join(
        f"{one.opens.hour}:{one.opens:%M}-{one.closes.hour or (24 if one.closes.minute == 0 else 0)}:{one.closes:%M}"
        for one in intervals
    )
