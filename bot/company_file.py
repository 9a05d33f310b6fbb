"""The company's YAML file, read: every error at once, each with its line. Written: bot/company_writing.py.

Comments are for people: they do not outlive an import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

from bot.company_checks import find_faults
from bot.company_schema import (
    BranchYaml,
    BudgetYaml,
    CompanyYaml,
    KeepDaysYaml,
    OutreachYaml,
    OverrideYaml,
    PlaceYaml,
    PrivacyYaml,
    ProductYaml,
    QuestionYaml,
    ServiceYaml,
)
from bot.company_yaml import NotYaml, Place, YamlDocument, read_yaml
from db.catalogue import CatalogueProduct, CatalogueService, Question, ServiceOverride
from db.outreach_settings import OutreachSettings
from db.people_settings import ALWAYS, PeopleSettings
from db.privacy import PrivacySettings, Retention
from db.records import AgentSettings, Branch, BranchId, ChannelType, ModelBudget, new_id

_LARGEST = 1024 * 1024
_DEFAULT_ZONE = "Europe/Moscow"
_PARTS: tuple[type[BaseModel], ...] = (
    CompanyYaml,
    BudgetYaml,
    PrivacyYaml,
    KeepDaysYaml,
    OutreachYaml,
    ServiceYaml,
    OverrideYaml,
    BranchYaml,
    ProductYaml,
    QuestionYaml,
)


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
    chooses_mode: bool = True
    """Whether the file says how far the agent is let loose."""
    channels: tuple[ChannelType, ...]
    """Those that the company is to have; which of them are there, `channel list` says."""


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
        document = read_yaml(text)
    except NotYaml as error:
        raise CompanyFileErrors([(error.line, f"not YAML: {error}")]) from error
    if not isinstance(document.values, dict):
        raise CompanyFileErrors([(1, "a company's file is a list of fields, such as `name: …`")])
    together = find_faults(document.values, frozenset(PlaceYaml.model_fields))
    faults = [_said(document, place, text) for place, text in (*document.faults, *together)]
    try:
        parsed = CompanyYaml.model_validate(document.values)
    except ValidationError as error:
        faults += [_fault(document, fault["loc"], fault["msg"], fault["type"]) for fault in error.errors()]
    if faults:
        raise CompanyFileErrors(list(dict.fromkeys(faults)))
    return _to_records(parsed)


def _fault(document: YamlDocument, where: Place, message: str, kind: str) -> tuple[int, str]:
    """Put a fault of pydantic's in words; to an unknown field goes what was probably meant."""
    if kind == "missing":
        return _said(document, where, "is missing")
    if kind == "extra_forbidden":
        near = get_close_matches(str(where[-1]), _known_fields(), n=1)
        return _said(document, where, f"unknown field{f', did you mean {near[0]!r}?' if near else ''}")
    # Some steps are pydantic's own, not the file's: `[key]` for a key of a mapping.
    return _said(document, tuple(_steps(document, where)), message.removeprefix("Value error, "))


def _steps(document: YamlDocument, where: Place) -> Iterable[str | int]:
    place: Place = ()
    for step in where:
        if (*place, step) in document.lines:
            place = (*place, step)
            yield step


def _said(document: YamlDocument, place: Place, text: str) -> tuple[int, str]:
    """Return the line of the fault, or of the nearest that stands round it, with the path in words."""
    known = next(place[:end] for end in range(len(place), -1, -1) if place[:end] in document.lines)
    path = ".".join(str(step + 1) if isinstance(step, int) else step for step in place)
    return document.lines[known], f"{path}: {text}" if path else text


def _known_fields() -> list[str]:
    return [name for part in _PARTS for name in part.model_fields]


def agent_of(yaml: CompanyYaml) -> AgentSettings:
    """Return what a file says of the agent."""
    return AgentSettings(
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
        mode=yaml.mode or ALWAYS,
        model=yaml.model,
        quiet=timedelta(seconds=float(yaml.quiet_seconds)) if yaml.quiet_seconds is not None else None,
        longest_gap=_minutes(yaml.longest_gap_minutes),
        budget=ModelBudget(soft=_cents(yaml.budget.soft), hard=_cents(yaml.budget.hard)),
        tell_of_crm_changes=yaml.tell_clients_of_crm_changes,
        reminders=yaml.reminders,
        quiet_hours=yaml.quiet_hours,
        privacy=_privacy(yaml.privacy),
        outreach=OutreachSettings(**yaml.outreach.model_dump()),
        people=PeopleSettings(
            **{**yaml.people.model_dump(), "topics": tuple(yaml.people.topics)},
            branch_modes={branch.key: branch.mode for branch in yaml.branches if branch.mode is not None},
        ),
        most_open_bookings=yaml.most_open_bookings,
    )


def _to_records(yaml: CompanyYaml) -> CompanyFile:
    branches = [_branch(branch, branch.key, branch.name) for branch in yaml.branches]
    options = {name: str(value) for name, value in ((yaml.crm.model_extra or {}) if yaml.crm else {}).items()}
    return CompanyFile(
        slug=yaml.slug,
        name=yaml.name,
        email=yaml.email,
        plan=yaml.plan,
        agent=agent_of(yaml),
        branches=tuple(branches or [_branch(yaml, "main", yaml.name)]),
        crm_type=yaml.crm.type if yaml.crm else None,
        crm_options=dict(sorted(options.items())),
        channels=tuple(yaml.channels),
        chooses_mode=yaml.mode is not None,
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


def _privacy(yaml: PrivacyYaml) -> PrivacySettings:
    return PrivacySettings(
        operator=yaml.operator,
        policy_url=yaml.policy_url,
        notice=yaml.notice,
        notice_text=yaml.notice_text,
        hide_from_model=yaml.hide_from_model,
        keep=Retention(**yaml.keep_days.model_dump()),
    )


def _cents(dollars: Decimal | None) -> int | None:
    return round(dollars * 100) if dollars is not None else None


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
