"""A scenario: who the client is, what they say, and what must stand at the end. One YAML file each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""Every scenario's moment: a Tuesday, noon in Moscow. Days in the files count on it."""


class ScenarioError(Exception):
    """A scenario's file cannot be used; the message names the file and the fault."""


def _moment(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""By the wall clock of the branch."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScenarioClient(_Part):
    name: str
    phone: str
    shares_phone: bool = True
    language: str = "ru"


class BusyDay(_Part):
    master: str
    day: date


class Standing(_Part):
    """An appointment that stands before it begins; `mine`: this client's own. Or a master's whole day that is taken."""

    mine: bool = True
    service: str | None = None
    master: str | None = None
    at: Moment | None = None
    busy: BusyDay | None = None


class Press(_Part):
    press: str


class ShareContact(_Part):
    contact: bool = True


class Expected(_Part):
    """An appointment of this client that must stand at the end; what is left out may be anything."""

    service: str
    master: str | None = None
    at: Moment | None = None


class Ends(_Part):
    appointments: tuple[Expected, ...] = ()
    handovers: tuple[str, ...] | None = ()
    """Why people were called; None: whatever for."""
    said: tuple[str, ...] = ()
    never_said: tuple[str, ...] = ()


class Scenario(_Part):
    """See docs/evaluation.md for every field."""

    title: str
    business: str = "company"
    tags: tuple[str, ...] = ()
    client: ScenarioClient
    goal: str
    before: tuple[Standing, ...] = ()
    says: tuple[str | Press | ShareContact, ...] = Field(min_length=1)
    ends: Ends
    slug: str = ""
    held_out: bool = False


def load_scenarios(folder: Path, *, names: Mapping[str, str] | None = None) -> Sequence[Scenario]:
    """Read every file below the folder, by name. `names`: what stands for {service} and the like in them.

    Raises ScenarioError.
    """
    paths = sorted(folder.rglob("*.yaml"))
    if not paths:
        raise ScenarioError(f"{folder}: no scenarios there (*.yaml)")
    return [_read(path, folder, names or {}) for path in paths]


def _read(path: Path, folder: Path, names: Mapping[str, str]) -> Scenario:
    text = path.read_text(encoding="utf-8")
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    try:
        given = YAML(typ="safe").load(text)
        slug = path.relative_to(folder).with_suffix("").as_posix()
        return Scenario.model_validate({**given, "slug": slug, "held_out": "held_out" in path.parts})
    except YAMLError as error:
        raise ScenarioError(f"{path}: not YAML: {error}") from error
    except (ValidationError, TypeError) as error:
        raise ScenarioError(f"{path}: {error}") from error
