"""Where a mapping is read from: a ready one by its name, a file of the installation, or the setting's own text."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from crm.errors import CRMNotConfigured
from crm.one_c.odata.mapping import Mapping

LONGEST = 200_000


def ready_mappings() -> tuple[str, ...]:
    """Return the names of the mappings that come with the package."""
    folder = resources.files("crm.one_c").joinpath("mappings")
    return tuple(sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")))


def load_mapping(setting: str) -> Mapping:
    """Return the mapping that a setting names: a ready one, a path that ends in .yaml, or one line of JSON.

    A file has to be there on every host that serves the company; a JSON text is kept with the settings themselves.
    Raises CRMNotConfigured that names every wrong place.
    """
    text = setting.strip()
    if text.startswith("{"):
        return read_mapping(text, origin="the mapping's text")
    if text in ready_mappings():
        return read_mapping(_ready(text), origin=text)
    if text.endswith((".yaml", ".yml")):
        try:
            path = Path(text)
            return read_mapping(path.read_text(encoding="utf-8-sig"), origin=path.name)
        except (OSError, UnicodeDecodeError) as error:
            raise CRMNotConfigured(f"1c: the mapping {text} cannot be read: {type(error).__name__}") from None
    raise CRMNotConfigured(f"1c: the field mapping names no file and none of {', '.join(ready_mappings())}")


@lru_cache(maxsize=64)
def read_mapping(text: str, *, origin: str) -> Mapping:
    """Parse a mapping. Raises CRMNotConfigured that names every wrong place."""
    if len(text) > LONGEST:
        raise CRMNotConfigured(f"1c: {origin} is longer than {LONGEST} characters")
    try:
        # JSON is nearly YAML, but not where a slash is escaped: a text that is JSON is read as such.
        value = json.loads(text) if text.startswith("{") else YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise CRMNotConfigured(f"1c: {origin} cannot be parsed{where}") from None
    try:
        return Mapping.model_validate(value)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, entry['loc'])) or 'the file'}: {entry['msg']}"
            for entry in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise CRMNotConfigured(f"1c: {origin}: {'; '.join(faults)}") from None


def _ready(name: str) -> str:
    return resources.files("crm.one_c").joinpath("mappings", f"{name}.yaml").read_text(encoding="utf-8")
