"""What the model's tokens cost, by the table of model_prices.toml, which carries its date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from db.records import Usage

_TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """In US dollars a million tokens, which is the same as millionths of a dollar a token."""

    input: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    as_of: date
    models: dict[str, ModelPrice]

    def of(self, model: str) -> ModelPrice:
        """Return a model's price; one that is not known costs as the dearest."""
        return self.models.get(model) or max(self.models.values(), key=lambda one: one.output)


@cache
def price_table() -> PriceTable:
    given = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    models = {name: ModelPrice(**prices) for name, prices in given["models"].items()}
    return PriceTable(as_of=given["as_of"], models=models)


def cost_of(usage: Usage, model: str) -> int:
    """Return what this took, in millionths of a US dollar."""
    price = price_table().of(model)
    fresh = max(0, usage.prompt_tokens - usage.cached_tokens)
    return round(fresh * price.input + usage.cached_tokens * price.cached + usage.output_tokens * price.output)
