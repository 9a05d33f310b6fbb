"""What `crm check` and `crm mapping` tell of a base: everything that can be read without leaving a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import BaseModel

from crm.account import Clock
from crm.base import CheckLine, CheckStatus, MappingLine
from crm.checking import try_all
from crm.one_c.odata.booking import Parts
from crm.one_c.odata.client import ODataClient
from crm.one_c.odata.mapping import Mapping as BaseMapping

OK, WARNING, FAILED = CheckStatus.OK, CheckStatus.WARNING, CheckStatus.FAILED
WEEK = timedelta(days=6)
_TYPES = re.compile(rb'<(EntityType|ComplexType)\b[^>]*\bName="([^"]+)"[^>]*>(.*?)</\1>', re.S)
_PROPERTY = re.compile(rb'<Property\b[^>]*\bName="([^"]+)"')
Fields = Mapping[str, frozenset[str]]
Place = tuple[str, str, str]
NO_FIELDS = ("part", "format", "new", "cancelled", "done", "cancel")


class Check:
    def __init__(self, client: ODataClient, mapping: BaseMapping, parts: Parts, clock: Clock) -> None:
        self._client = client
        self._map = mapping
        self._parts = parts
        self._clock = clock

    async def run(self) -> tuple[CheckLine, ...]:
        """Return a line per thing tried. A step that fails says so and ends nothing."""
        steps = {
            "objects": self._check_objects,
            "services": self._check_services,
            "free times": self._check_times,
            "appointments": self._check_appointments,
            "our own keys": self._check_keys,
        }
        return (self._mapping_line(), *await try_all(steps))

    async def describe(self) -> tuple[MappingLine, ...]:
        """Return every field that the mapping names, and whether the base's `$metadata` has it."""
        fields = await self._client.read_metadata(_fields_of)
        return tuple(
            MappingLine(what=what, field=f"{object_}.{field}" if field else object_, found=_has(fields, object_, field))
            for what, object_, field in _named(self._map)
        )

    def _mapping_line(self) -> CheckLine:
        sure = self._map.certainty == "verified"
        detail = f"{self._map.title}; its names are {self._map.certainty}: `ai-admin crm mapping` compares them"
        return CheckLine(subject="mapping", status=OK if sure else WARNING, detail=detail)

    async def _check_objects(self) -> list[CheckLine]:
        published = await self._client.list_published()
        wanted = {object_ for _, object_, field in _named(self._map) if not field}
        missing = sorted(wanted - published)
        if missing:
            detail = f"not switched on for OData, or named otherwise: {', '.join(missing)}"
            return [CheckLine(subject="objects", status=FAILED, detail=detail)]
        return [CheckLine(subject="objects", status=OK, detail=f"{len(wanted)} switched on for OData")]

    async def _check_services(self) -> list[CheckLine]:
        services, staff = await self._parts.catalogue.get_services(), await self._parts.catalogue.get_staff()
        lines = [
            CheckLine(subject="services", status=OK if services else FAILED, detail=f"{len(services)} offered"),
            CheckLine(subject="staff", status=OK if staff else FAILED, detail=f"{len(staff)} offered"),
        ]
        endless = [one.title for one in services if one.terms.duration is None and not one.by_staff]
        if endless:
            detail = f"{', '.join(endless[:5])}: no length is known: set services.default_minutes"
            lines.append(CheckLine(subject="lengths", status=FAILED, detail=detail))
        return lines

    async def _check_times(self) -> list[CheckLine]:
        services = await self._parts.catalogue.get_services()
        if not services:
            return [CheckLine(subject="free times", status=FAILED, detail="no service to look for")]
        today = self._clock().astimezone(self._parts.zone).date()
        slots = await self._parts.slots.list_slots([services[0].id], first=today, last=today + WEEK, staff_id=None)
        days = len({slot.starts_at.date() for slot in slots})
        detail = f"{services[0].title}: {len(slots)} free times on {days} of the next 7 days"
        return [CheckLine(subject="free times", status=OK if slots else WARNING, detail=detail)]

    async def _check_appointments(self) -> list[CheckLine]:
        now = self._clock().astimezone(self._parts.zone).replace(tzinfo=None)
        found = await self._parts.diary.list_booked(now, now + timedelta(days=1))
        return [CheckLine(subject="appointments", status=OK, detail=f"{len(found)} readable within a day")]

    async def _check_keys(self) -> list[CheckLine]:
        """Say what is known: trying it would leave a document behind."""
        known = await self._parts.own_keys.known()
        words = {
            "honoured": (OK, "the base takes the keys that we send: a repeat is never a second document"),
            "ignored": (
                WARNING,
                "the base gives out keys of its own: map appointments.external_id",
            ),
            "unknown": (WARNING, "whether the base takes the keys that we send shows with the first booking"),
        }
        status, detail = words[known]
        return [CheckLine(subject="our own keys", status=status, detail=detail)]


def _named(mapping: BaseMapping) -> Iterator[Place]:
    """Yield what the mapping names: where in it, the object, and its field ("" for the object itself)."""
    parts = {name: part for name, part in mapping if name != "schedule"} | {"schedule": mapping.schedule.register_}
    for what, part in parts.items():
        object_ = getattr(part, "object", None)
        if isinstance(part, BaseModel) and object_:
            yield what, object_, ""
            for name, value in part:
                if name != "object":
                    yield from _fields(f"{what}.{name}", value, object_)


def _fields(path: str, value: object, object_: str) -> Iterator[Place]:
    name = path.rpartition(".")[2]
    if name in ("where", "set") and isinstance(value, Mapping):
        yield from ((f"{path}.{field}", object_, field) for field in value)
    elif isinstance(value, BaseModel):
        part = getattr(value, "part", None)
        if part:
            yield f"{path}.part", object_, part
        for inner, one in value:
            if inner not in NO_FIELDS:
                yield from _fields(f"{path}.{inner}", one, f"{object_}_{part}" if part else object_)
    elif isinstance(value, str) and name not in NO_FIELDS:
        yield path, object_, value


def _has(fields: Fields, object_: str, field: str) -> bool:
    known = fields.get(object_) or fields.get(f"{object_}_RowType") or fields.get(f"{object_}_RecordType")
    return known is not None and (not field or field in known)


def _fields_of(metadata: bytes) -> Fields:
    """Read which types have which properties. The text is the base's own: nothing in it is resolved or followed."""
    return {
        name.decode(): frozenset(one.decode() for one in _PROPERTY.findall(body))
        for _, name, body in _TYPES.findall(metadata)
    }
