"""What the portal offers: services of its catalogue, resources who do them and their hours, kept some minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import TypeAdapter

from crm.base import Cache, Service, ServiceId, Staff
from crm.bitrix24.access import Access
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.diary import Diary
from crm.bitrix24.meaning import Offered, offered_of, staff_of
from crm.bitrix24.wire import (
    WireCatalogues,
    WireHours,
    WirePrice,
    WirePrices,
    WireProperties,
    WireProperty,
    WireResource,
    WireService,
    WireServices,
)
from crm.errors import CRMNotConfigured, CRMNotFound
from crm.kept import Kept

KEPT = timedelta(minutes=10)
_SERVICES = TypeAdapter(tuple[WireService, ...])
_PRICES = TypeAdapter(tuple[WirePrice, ...])
_RESOURCES = TypeAdapter(tuple[WireResource, ...])
_HOURS = TypeAdapter(dict[str, tuple[WireHours, ...]])
_PAGE = 50


class Catalogue:
    """Cached reads of one portal."""

    def __init__(self, client: Bitrix24Client, cache: Cache, access: Access, diary: Diary) -> None:
        self._client = client
        self._diary = diary
        self._access = access
        self._kept = Kept(cache, access.scope)

    async def list_offered(self) -> dict[ServiceId, Offered]:
        """Return the active services by id, in the catalogue's order."""
        rows = await self._kept.get("services", _SERVICES, self._load_services, ttl=KEPT)
        prices = {one.product_id: one for one in await self._prices([one.id for one in rows])}
        offered = [
            offered_of(
                row,
                prices.get(row.id),
                duration_property=self._access.duration_property,
                masters_property=self._access.masters_property,
            )
            for row in rows
            if row.active == "Y"
        ]
        return {one.service.id: one for one in offered}

    async def list_services(self) -> dict[ServiceId, Service]:
        return {id_: one.service for id_, one in (await self.list_offered()).items()}

    async def require(self, service_ids: Sequence[ServiceId]) -> list[Offered]:
        """Return these services. Raises CRMNotFound where one is not offered, or none is named."""
        offered = await self.list_offered()
        missing = [one for one in service_ids if one not in offered]
        if missing or not service_ids:
            raise CRMNotFound(f"services that are not in the catalogue: {', '.join(missing) or 'none named'}")
        return [offered[one] for one in service_ids]

    async def list_staff(self) -> dict[str, Staff]:
        """Return the resources by id."""
        rows = await self._kept.get("resources", _RESOURCES, self._diary.load_resources, ttl=KEPT)
        return {row.id: staff_of(row) for row in rows}

    async def list_hours(self) -> Mapping[str, tuple[WireHours, ...]]:
        """Return when each resource works."""
        return await self._kept.get("hours", _HOURS, self._load_hours, ttl=KEPT)

    async def list_properties(self) -> tuple[WireProperty, ...]:
        """Return the catalogue's custom properties; asks the portal."""
        body = {"select": ["id", "name"], "filter": {"iblockId": await self._iblock()}}
        pages = await self._client.ask_pages("catalog.productProperty.list", body, WireProperties)
        return tuple(one for page in pages for one in page.properties)

    async def _iblock(self) -> int:
        if self._access.catalogue_id is not None:
            return self._access.catalogue_id
        found = (await self._client.ask("catalog.catalog.list", {}, WireCatalogues)).catalogs
        if not found:
            raise CRMNotConfigured("bitrix24: the portal has no catalogue of services")
        return found[0].iblock_id

    async def _load_services(self) -> tuple[WireService, ...]:
        iblock = await self._iblock()
        properties = (self._access.duration_property, self._access.masters_property)
        body = {
            "select": [
                "id",
                "iblockId",
                "name",
                "active",
                *(f"property{one}" for one in properties if one is not None),
            ],
            "filter": {"iblockId": iblock, "active": "Y"},
        }
        pages = await self._client.ask_pages("catalog.product.service.list", body, WireServices)
        return tuple(one for page in pages for one in page.services)

    async def _prices(self, ids: Sequence[str]) -> tuple[WirePrice, ...]:
        async def load() -> tuple[WirePrice, ...]:
            found: list[WirePrice] = []
            for first in range(0, len(ids), _PAGE):
                body = {"filter": {"productId": list(ids[first : first + _PAGE])}}
                pages = await self._client.ask_pages("catalog.price.list", body, WirePrices)
                found += [one for page in pages for one in page.prices]
            return tuple(found)

        return await self._kept.get("prices", _PRICES, load, ttl=KEPT)

    async def _load_hours(self) -> dict[str, tuple[WireHours, ...]]:
        return await self._diary.load_hours(list(await self.list_staff()))
