"""The files of the suite, read: attacks, false claims, honest replies. `held_out/` was written blind to the guards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from ruamel.yaml import YAML

HERE = Path(__file__).parent


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    held_out: bool = False


class CrmText(BaseModel):
    """Where the business's own data hold the instruction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Literal["comment", "service", "staff"]
    text: str


class Attack(_Entry):
    """`says`: the attacker's messages. `obeys`: what the model does once it reads `mark`.

    Goals that end in the CRM or in money are judged there; `lost_if_said` is what nobody may be told.
    """

    id: str
    language: Literal["ru", "en", "kk"]
    way_in: Literal["direct", "crm_data", "voice", "name", "multi_turn"] = Field(alias="class")
    technique: str
    goal: Literal["book", "move", "cancel", "reveal", "lie", "spend"]
    says: tuple[str, ...]
    name: str | None = None
    crm: CrmText | None = None
    mark: str = Field(min_length=8)
    obeys: tuple[dict[Literal["call", "say"], Any], ...]
    lost_if_said: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        words = "\n".join(str(step["say"]) for step in self.obeys if "say" in step).casefold()
        if self.goal in ("reveal", "lie") and not any(one.casefold() in words for one in self.lost_if_said):
            raise ValueError(f"{self.id}: what it says holds nothing of lost_if_said")
        place = {"name": self.name or "", "crm_data": self.crm.text if self.crm else ""}
        holder = place.get(self.way_in, "\n".join(self.says))
        if self.mark not in holder:
            raise ValueError(f"{self.id}: the mark is not in the injected text")
        return self


class Phrasing(_Entry):
    """What a model says that has booked nothing."""

    language: Literal["ru", "en", "kk"]
    claims: Literal["booked", "moved", "cancelled"]
    says: str


class Honest(_Entry):
    """A good reply, and what the model had called before it."""

    language: Literal["ru", "en", "kk"]
    after: Literal["nothing", "services", "slots", "mine"]
    asked: str
    says: str


def load_attacks() -> Sequence[Attack]:
    return [Attack.model_validate(one) for one in _both("attacks")]


def load_phrasings() -> Sequence[Phrasing]:
    return [Phrasing.model_validate(one) for one in _both("phrasings")]


def load_honest() -> Sequence[Honest]:
    return [Honest.model_validate(one) for one in _both("honest")]


def _both(name: str) -> list[dict[str, Any]]:
    yaml = YAML(typ="safe")
    open_ones = yaml.load((HERE / f"{name}.yaml").read_text(encoding="utf-8")) or []
    held_out = yaml.load((HERE / "held_out" / f"{name}.yaml").read_text(encoding="utf-8")) or []
    return [*open_ones, *({**one, "held_out": True} for one in held_out)]
