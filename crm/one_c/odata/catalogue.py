"""Services, prices, masters and who does what, kept some minutes: a base answers slowly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from pydantic import TypeAdapter

from crm.base import Cache, Prepayment, Price, Service, ServiceId, Staff, StaffId, Terms
from crm.errors import CRMNotFound
from crm.kept import Kept
from crm.one_c.odata.client import AT_ONCE, ODataClient
from crm.one_c.odata.mapping import Mapping as BaseMapping
from crm.one_c.odata.query import equal, fixed, is_key, last_slice
from crm.one_c.odata.wire import Row
from crm.prices import price_of
from crm.together import all_of

KEPT = timedelta(minutes=10)
NAMES_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A service as the base keeps it."""

    id: str
    title: str
    category: str
    description: str
    duration: timedelta | None
    prepaid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A price; `staff_id` "" holds for any master."""

    service_id: str
    staff_id: str
    low: Decimal
    high: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    staff_id: str
    service_id: str
    duration: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    id: str
    name: str
    specialization: str


_OFFERED, _LISTED = TypeAdapter(tuple[Offered, ...]), TypeAdapter(tuple[Listed, ...])
_SKILLS, _MASTERS = TypeAdapter(tuple[Skill, ...]), TypeAdapter(tuple[Master, ...])
_TEXT = TypeAdapter(str)


class Catalogue:
    """Cached reads of one base, by its mapping."""

    def __init__(self, client: ODataClient, cache: Cache, scope: str, mapping: BaseMapping) -> None:
        self._client = client
        self._kept = Kept(cache, scope)
        self._map = mapping

    async def get_services(self) -> tuple[Service, ...]:
        services, prices, skills = await self._offered(), await self._listed(), await self._skills()
        general = {one.service_id: one for one in prices if not one.staff_id}
        return tuple(self._service(one, general.get(one.id), prices, skills) for one in services)

    async def get_staff(self, service_ids: Sequence[str] = ()) -> tuple[Staff, ...]:
        """Return the masters by name, those who do all the services where some are named."""
        able = await self._able(service_ids)
        return tuple(
            Staff(id=StaffId(one.id), name=one.name, specialization=one.specialization or None)
            for one in await self._masters()
            if able is None or one.id in able
        )

    async def require_services(self, service_ids: Sequence[ServiceId]) -> tuple[Service, ...]:
        """Return the services in order. Raises CRMNotFound where one is not offered, or none is named."""
        offered = {one.id: one for one in await self.get_services()}
        missing = [one for one in service_ids if one not in offered]
        if missing or not service_ids:
            raise CRMNotFound(f"services that are not offered: {', '.join(missing) or 'none named'}")
        return tuple(offered[one] for one in service_ids)

    async def name_of_service(self, key: str) -> str:
        """Return a title, of a service that is no longer offered too; "" for one that is gone."""
        known = {one.id: one.title for one in await self._offered()}
        return known.get(key) or await self._name("service", self._map.services.object, self._map.services.title, key)

    async def name_of_master(self, key: str) -> str:
        known = {one.id: one.name for one in await self._masters()}
        return known.get(key) or await self._name("master", self._map.staff.object, self._map.staff.name, key)

    # ---- what the base is asked

    async def _offered(self) -> tuple[Offered, ...]:
        return await self._kept.get("services", _OFFERED, self._load_services, ttl=KEPT)

    async def _listed(self) -> tuple[Listed, ...]:
        if self._map.prices is None:
            return ()
        return await self._kept.get("prices", _LISTED, self._load_prices, ttl=KEPT)

    async def _skills(self) -> tuple[Skill, ...] | None:
        """Return who does what; None where every master does everything."""
        if self._map.skills is None:
            return None
        return await self._kept.get("skills", _SKILLS, self._load_skills, ttl=KEPT)

    async def _masters(self) -> tuple[Master, ...]:
        return await self._kept.get("staff", _MASTERS, self._load_masters, ttl=KEPT)

    async def _load_services(self) -> tuple[Offered, ...]:
        named = self._map.services
        folders = await self._folders() if named.category and named.folders else {}
        length = named.duration.field if named.duration else None
        usual = timedelta(minutes=named.default_minutes) if named.default_minutes else None

        def read(row: Row) -> Offered:
            return Offered(
                id=row.own_key(),
                title=row.text(named.title),
                category=folders.get(row.key(named.category), "") if named.category else "",
                description=row.optional_text(named.description),
                duration=row.length(named.duration) or usual,
                prepaid=row.flag(named.prepayment) if named.prepayment else False,
            )

        fields = ("Ref_Key", named.title, named.category, named.description, length, named.prepayment)
        found = await self._client.list_rows(
            "services",
            named.object,
            read,
            select=[field for field in fields if field],
            where=[*_standing(named.folders), *fixed(named.where)],
            order=(named.title, "Ref_Key"),
            allowed_only=self._map.allowed_only,
        )
        return tuple(found)

    async def _folders(self) -> dict[str, str]:
        named = self._map.services
        found = await self._client.list_rows(
            "service_groups",
            named.object,
            lambda row: (row.key("Ref_Key"), row.text(named.title)),
            select=("Ref_Key", named.title),
            where=("DeletionMark eq false", "IsFolder eq true"),
            allowed_only=self._map.allowed_only,
        )
        return dict(found)

    async def _load_prices(self) -> tuple[Listed, ...]:
        named = self._map.prices
        assert named is not None  # noqa: S101 - asked for only where it is mapped

        def read(row: Row) -> Listed:
            return Listed(
                service_id=row.key(named.service),
                staff_id=row.key(named.staff) if named.staff else "",
                low=row.number(named.price),
                high=row.number(named.price_to) if named.price_to else None,
            )

        condition = " and ".join(fixed(named.where))
        fields = (named.service, named.staff, named.price, named.price_to)
        found = await self._client.list_rows(
            "prices",
            last_slice(named.object, condition) if named.slice else named.object,
            read,
            select=[field for field in fields if field],
            where=() if named.slice else fixed(named.where),
            order=[field for field in (named.service, named.staff) if field],
        )
        return tuple(found)

    async def _load_skills(self) -> tuple[Skill, ...]:
        named = self._map.skills
        assert named is not None  # noqa: S101 - asked for only where it is mapped

        def read(row: Row) -> Skill:
            return Skill(
                staff_id=row.key(named.staff),
                service_id=row.key(named.service),
                duration=row.length(named.duration),
            )

        fields = (named.staff, named.service, named.duration.field if named.duration else None)
        found = await self._client.list_rows(
            "skills",
            named.object,
            read,
            select=[field for field in fields if field],
            where=fixed(named.where),
            order=(named.staff, named.service),
        )
        return tuple(found)

    async def _load_masters(self) -> tuple[Master, ...]:
        named = self._map.staff

        def read(row: Row) -> Master:
            return Master(
                id=row.own_key(),
                name=row.text(named.name),
                specialization=row.optional_text(named.specialization),
            )

        fields = ("Ref_Key", named.name, named.specialization)
        found = await self._client.list_rows(
            "staff",
            named.object,
            read,
            select=[field for field in fields if field],
            where=[*_standing(named.folders), *fixed(named.where)],
            order=(named.name, "Ref_Key"),
            allowed_only=self._map.allowed_only,
        )
        return tuple(found)

    async def _name(self, what: str, resource: str, field: str, key: str) -> str:
        if not is_key(key):
            return ""

        async def load() -> str:
            try:
                return await self._client.get_one(f"{what}_name", resource, key, lambda row: row.text(field))
            except CRMNotFound:
                return ""

        return await self._kept.get(f"{what}:{key}", _TEXT, load, ttl=NAMES_KEPT)

    # ---- what it means

    async def _able(self, service_ids: Sequence[str]) -> set[str] | None:
        skills = await self._skills()
        if skills is None or not service_ids:
            return None if skills is None else {one.staff_id for one in skills}
        by_service = [{one.staff_id for one in skills if one.service_id == wanted} for wanted in service_ids]
        return set.intersection(*by_service)

    def _service(
        self, one: Offered, general: Listed | None, prices: Sequence[Listed], skills: Sequence[Skill] | None
    ) -> Service:
        usual = Terms(price=self._price(general), duration=one.duration)
        own: dict[StaffId, Terms] = {}
        for listed in prices:
            if listed.service_id == one.id and listed.staff_id:
                own[StaffId(listed.staff_id)] = Terms(price=self._price(listed))
        for skill in skills or ():
            if skill.service_id == one.id and skill.duration and skill.duration != one.duration:
                known = own.get(StaffId(skill.staff_id), Terms())
                own[StaffId(skill.staff_id)] = Terms(price=known.price, duration=skill.duration)
        return Service(
            id=ServiceId(one.id),
            title=one.title,
            terms=usual,
            by_staff=own,
            category=one.category or None,
            description=one.description or None,
            prepayment=Prepayment.REQUIRED if one.prepaid else Prepayment.NONE,
        )

    def _price(self, listed: Listed | None) -> Price | None:
        return price_of(listed.low, listed.high, self._map.currency) if listed else None


async def names_of(catalogue: Catalogue, service_keys: Sequence[str], master_keys: Sequence[str]) -> Mapping[str, str]:
    """Return titles and names by key: got before a write, as nothing may fail after it."""

    async def service(key: str) -> tuple[str, str]:
        return key, await catalogue.name_of_service(key)

    async def master(key: str) -> tuple[str, str]:
        return key, await catalogue.name_of_master(key)

    calls = [lambda key=key: service(key) for key in dict.fromkeys(service_keys)]
    calls += [lambda key=key: master(key) for key in dict.fromkeys(master_keys)]
    return dict(await all_of(calls, at_once=AT_ONCE))


def _standing(folders: bool) -> list[str]:
    return [equal("DeletionMark", False), *([equal("IsFolder", False)] if folders else [])]
