"""What a configuration publishes: sets of entities, their fields with types, tabular parts.

After "17.4. Стандартный интерфейс OData" of the platform's documentation, release 8.3.27.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ZERO_KEY = "00000000-0000-0000-0000-000000000000"
ZERO_DATE = "0001-01-01T00:00:00"

# Our short names of the types in the document's table (17.4.3); "ref" is a composite type with its `_Type` twin.
EDM: Mapping[str, str] = {
    "guid": "Edm.Guid",
    "string": "Edm.String",
    "date": "Edm.DateTime",
    "bool": "Edm.Boolean",
    "int": "Edm.Int64",
    "double": "Edm.Double",
    "ref": "Edm.String",
    "type": "Edm.String",
}
EMPTY: Mapping[str, object] = {
    "guid": ZERO_KEY,
    "string": "",
    "date": ZERO_DATE,
    "bool": False,
    "int": 0,
    "double": 0,
    "ref": "",
    "type": "StandardODATA.Undefined",
}

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySet:
    """One catalogue, document or independent register. `enums`: the values of a field; `period`: it can be sliced."""

    name: str
    fields: Fields
    parts: Mapping[str, Fields] = field(default_factory=dict)
    keys: tuple[str, ...] = ("Ref_Key",)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    period: bool = False

    @property
    def is_document(self) -> bool:
        return self.name.startswith("Document_")

    @property
    def is_object(self) -> bool:
        return self.keys == ("Ref_Key",)


def catalogue(name: str, fields: Fields, *, folders: bool = False, **more: object) -> EntitySet:
    standard = {"Ref_Key": "guid", "DataVersion": "string", "DeletionMark": "bool", "Code": "string"}
    tree = {"Parent_Key": "guid", "IsFolder": "bool"} if folders else {}
    return EntitySet(name=f"Catalog_{name}", fields={**standard, "Description": "string", **tree, **fields}, **more)  # type: ignore[arg-type]


def document(name: str, fields: Fields, **more: object) -> EntitySet:
    standard = {"Ref_Key": "guid", "DataVersion": "string", "DeletionMark": "bool", "Number": "string", "Date": "date"}
    return EntitySet(name=f"Document_{name}", fields={**standard, "Posted": "bool", **fields}, **more)  # type: ignore[arg-type]


def register(name: str, dimensions: Fields, resources: Fields, *, period: bool = False) -> EntitySet:
    """An independent register of information: its records are entities with the dimensions as their key."""
    dated = {"Period": "date"} if period else {}
    return EntitySet(
        name=f"InformationRegister_{name}",
        fields={**dated, **dimensions, **resources},
        keys=(*dated, *dimensions),
        period=period,
    )


CONTACTS: Fields = {"Тип": "string", "Вид_Key": "guid", "Представление": "string", "НомерТелефона": "string"}
"""The tabular part of contact information as the library of standard subsystems keeps it, the fields used here."""
