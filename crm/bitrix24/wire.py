"""The portal's JSON: numbers that come as strings, `[]` for an empty map, keys that are relied on required."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_map(value: object) -> object:
    return {} if value == [] else value


Id = Annotated[str, BeforeValidator(_id), Field(pattern=r"^[0-9]+$")]
T = TypeVar("T")


class Wire(BaseModel):
    """Read by the portal's names, and by ours where an answer was kept."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class WireRows(Wire):
    """A result that is a bare list, as older methods answer."""

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return {"rows": value} if isinstance(value, list) else value


class WireResource(Wire):
    id: Id
    name: Annotated[str, Field(min_length=1)]
    description: str | None = None


class WireResources(Wire):
    resource: tuple[WireResource, ...]


class WireHours(Wire):
    """Minutes from midnight on these weekdays, in the zone beside them."""

    opens: int = Field(validation_alias="from")
    closes: int = Field(validation_alias="to")
    timezone: str
    week_days: tuple[str, ...] = Field(validation_alias="weekDays")
    slot_size: int = Field(validation_alias="slotSize", gt=0)


class WireSlots(Wire):
    slots: tuple[WireHours, ...]


class WireMoment(Wire):
    timestamp: int

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp, UTC)


class WirePeriod(Wire):
    begins: WireMoment = Field(validation_alias="from")
    ends: WireMoment = Field(validation_alias="to")


class WireBooking(Wire):
    """Neither clients nor deals: those are asked for apart."""

    id: Id
    name: str | None = None
    description: str | None = None
    resource_ids: tuple[Id, ...] = Field(validation_alias="resourceIds")
    period: WirePeriod = Field(validation_alias="datePeriod")


class WireBookings(Wire):
    booking: tuple[WireBooking, ...]


class WireOneBooking(Wire):
    booking: WireBooking


class WireAdded(Wire):
    id: Id


class WireEntity(Wire):
    module: str = ""
    code: str = ""


class WireClient(Wire):
    id: Id
    type: WireEntity


class WireClients(Wire):
    clients: tuple[WireClient, ...] = Field(validation_alias="bookingClient")


class WirePhone(Wire):
    kind: str = Field(default="", validation_alias="typeId")
    value: str = ""


class WireContact(Wire):
    id: Id
    name: str | None = None
    last_name: str | None = Field(default=None, validation_alias="lastName")
    fm: tuple[WirePhone, ...] = ()

    @property
    def title(self) -> str:
        return " ".join(part for part in (self.name, self.last_name) if part)

    @property
    def phones(self) -> list[str]:
        return [one.value for one in self.fm if one.kind == "PHONE"]


class WireContacts(Wire):
    items: tuple[WireContact, ...]


class WireItem(Wire):
    id: Id


class WireItems(Wire):
    items: tuple[WireItem, ...]


class WireOneItem(Wire):
    item: WireItem


class WireFound(Wire):
    """Of `crm.duplicate.findbycomm`: nobody is an empty list in place of the map."""

    contacts: tuple[Id, ...] = Field(default=(), validation_alias="CONTACT")


class WireCatalogue(Wire):
    iblock_id: int = Field(validation_alias="iblockId")
    name: str = ""


class WireCatalogues(Wire):
    catalogs: tuple[WireCatalogue, ...]


class WireService(Wire):
    """A service with its custom properties, which come by their numbers."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)
    id: Id
    name: Annotated[str, Field(min_length=1)]
    active: str = "Y"

    def values_of(self, number: int | None) -> list[str]:
        """Return a property's values; each comes as `{"value": ...}`, one of them or a list."""
        held: Any = (self.model_extra or {}).get(f"property{number}") if number is not None else None
        entries = held if isinstance(held, list) else [held]
        values = [one.get("value") if isinstance(one, dict) else one for one in entries]
        return [str(one) for one in values if one not in (None, "", False)]


class WireServices(Wire):
    services: tuple[WireService, ...]


class WirePrice(Wire):
    product_id: Id = Field(validation_alias="productId")
    price: Decimal
    currency: str


class WirePrices(Wire):
    prices: tuple[WirePrice, ...]


class WireProperty(Wire):
    id: Id
    name: str = ""


class WireProperties(Wire):
    properties: tuple[WireProperty, ...] = Field(validation_alias="productProperties")


class WireBatch(Wire):
    """Answers by command; HTTP is 200 even where some failed."""

    result: Annotated[dict[str, Any], BeforeValidator(as_map)]
    errors: Annotated[dict[str, Any], BeforeValidator(as_map)] = Field(default={}, validation_alias="result_error")


class WireScopes(WireRows):
    """The rights that were given to the webhook or the application."""

    rows: tuple[str, ...]
