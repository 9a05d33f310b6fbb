"""What shows only when several fields of a company's file are looked at together.

These look at the file as it was written, not at what pydantic made of it: pydantic checks across fields only once each
of them is right, and a person wants to hear of everything at once. So nothing here may rely on a field's type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.company_yaml import Place
from crm.base import Manifest
from crm.errors import CRMNotConfigured
from crm.registry import get_manifest, list_manifests
from db.catalogue import Booking

_SECRETS = ("token", "password", "secret", "api_key")

Fault = tuple[Place, str]


def find_faults(values: Mapping[str, Any], place_fields: frozenset[str]) -> list[Fault]:
    """Return what does not fit together. `place_fields` are those that belong to a branch."""
    return [
        *_places(values, place_fields),
        *_services(values),
        *_overrides(values),
        *_budget(values.get("budget")),
        *_outreach(values),
        *_crm(values.get("crm")),
    ]


def _budget(budget: Any) -> Iterator[Fault]:
    soft, hard = (_amount(budget.get(name)) if isinstance(budget, Mapping) else None for name in ("soft", "hard"))
    if soft is not None and hard is not None and soft >= hard:
        yield ("budget", "soft"), "the soft limit must be below the hard one"


def _outreach(values: Mapping[str, Any]) -> Iterator[Fault]:
    outreach = values.get("outreach")
    services = outreach.get("win_back_services") if isinstance(outreach, Mapping) else None
    if not isinstance(outreach, Mapping) or not isinstance(services, Mapping) or not services:
        return
    if outreach.get("win_back_weeks") is None:
        yield ("outreach", "win_back_services"), "without win_back_weeks nobody is invited again"
    known = {(_words(service.get("name")) or "").casefold() for _, service in _entries(values.get("services"))}
    for name in services:
        if (_words(name) or "").casefold() not in known:
            yield ("outreach", "win_back_services", name), f"there is no service {name!r} in the file"


def _amount(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _places(values: Mapping[str, Any], place_fields: frozenset[str]) -> Iterator[Fault]:
    branches = list(_entries(values.get("branches")))
    if branches:
        for name in values:
            if name in place_fields:
                yield (name,), "with branches, this stands in each branch, not at the top level"
    seen: set[Any] = set()
    for index, branch in branches:
        key = _words(branch.get("key"))
        if key is not None and key in seen:
            yield ("branches", index, "key"), f"two branches have the same key {key!r}"
        seen.add(key)


def _services(values: Mapping[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, service in _entries(values.get("services")):
        name = _words(service.get("name"))
        if name is not None and name.casefold() in seen:
            yield ("services", index, "name"), f"the service {name!r} is there twice"
        seen.add((name or "").casefold())
        if service.get("booking") == Booking.LINK.value and service.get("link") is None:
            yield ("services", index, "booking"), "booking: link needs a link"


def _overrides(values: Mapping[str, Any]) -> Iterator[Fault]:
    branches = values.get("branches") or []
    if not isinstance(branches, list):
        return
    known = {_words(branch.get("key")) for _, branch in _entries(branches)} or {"main"}
    for index, service in _entries(values.get("services")):
        for number, override in _entries(service.get("overrides")):
            place = ("services", index, "overrides", number)
            branch = _words(override.get("branch"))
            if branch is None and override.get("master") is None:
                yield place, "an override names a branch, a master, or both"
            if branch is not None and branch not in known:
                yield (*place, "branch"), f"there is no branch {branch!r}"


def _crm(crm: Any) -> Iterator[Fault]:
    if not isinstance(crm, Mapping):
        return
    manifests = list_manifests()
    named = _words(crm.get("type"))
    if named is not None:
        try:
            manifests = (get_manifest(named),)
        except CRMNotConfigured as error:
            yield ("crm", "type"), str(error)
    for name, value in crm.items():
        if name != "type" and (text := _crm_option(name, value, manifests)):
            yield ("crm", name), text


def _crm_option(name: str, value: Any, manifests: tuple[Manifest, ...]) -> str | None:
    """Say what is wrong with an option; of a CRM that is not known, it may be any that some CRM has."""
    fields = [field for manifest in manifests for field in manifest.fields]
    if any(word in name for word in _SECRETS) or name in {field.name for field in fields if field.secret}:
        return f"{name} is a secret and does not belong in a file: `ai-admin crm set` asks for it"
    known = sorted({field.name for field in fields if not field.secret})
    if name not in known:
        titles = " and ".join(manifest.title for manifest in manifests)
        return f"{name}: {titles} knows {', '.join(known) or 'no options'}"
    return None if isinstance(value, str) else "an option is one word or number"


def _entries(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield those entries of a list that have fields at all."""
    for index, entry in enumerate(value if isinstance(value, list) else []):
        if isinstance(entry, Mapping):
            yield index, entry


def _words(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) else None
