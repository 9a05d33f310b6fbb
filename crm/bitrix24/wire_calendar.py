"""The JSON of a portal without the booking module: resources of the calendar, the field of deals, deals themselves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from crm.bitrix24.wire import Id, Wire, WireRows, as_map


class WireCalendarResource(Wire):
    id: Id = Field(validation_alias="ID")
    name: Annotated[str, Field(min_length=1)] = Field(validation_alias="NAME")


class WireCalendarResources(WireRows):
    rows: tuple[WireCalendarResource, ...]


class WireCalendarBooking(Wire):
    """An entry in a resource's calendar. `number` None: it came into the calendar without a field's booking.

    Stamps are seconds since 1970; those of whole days count from midnight UTC, and say only which days.
    """

    entry: Id = Field(validation_alias="ID")
    number: Id | None = Field(default=None, validation_alias="RESOURCE_BOOKING_ID")
    resource_id: Id = Field(validation_alias="SECTION_ID")
    kind: str = Field(default="resource", validation_alias="CAL_TYPE")
    deleted: str = Field(default="N", validation_alias="DELETED")
    whole_days: str = Field(default="N", validation_alias="DT_SKIP_TIME")
    begins: int = Field(validation_alias="DATE_FROM_TS_UTC")
    ends: int = Field(validation_alias="DATE_TO_TS_UTC")


class WireCalendarBookings(WireRows):
    rows: tuple[WireCalendarBooking, ...]


class WireCalendarSettings(Wire):
    """`year_holidays`: days and months as `1.01,23.02`."""

    work_time_start: str
    work_time_end: str
    week_holidays: tuple[str, ...] = ()
    year_holidays: str = ""


class WireFieldResource(Wire):
    type: str = ""
    id: Id


class WireFieldSettings(Wire):
    full_day: str = Field(default="N", validation_alias="FULL_DAY")
    timezone: str | None = Field(default=None, validation_alias="TIMEZONE")
    user_zone: str = Field(default="N", validation_alias="USE_USER_TIMEZONE")
    overbooking: str = Field(default="Y", validation_alias="ALLOW_OVERBOOKING")
    resources: tuple[WireFieldResource, ...] = Field(default=(), validation_alias="SELECTED_RESOURCES")


class WireField(Wire):
    """A custom field of deals."""

    name: Annotated[str, Field(min_length=1)] = Field(validation_alias="FIELD_NAME")
    kind: str = Field(validation_alias="USER_TYPE_ID")
    title: str | None = Field(default=None, validation_alias="EDIT_FORM_LABEL")
    settings: Annotated[WireFieldSettings, BeforeValidator(as_map)] = Field(
        default=WireFieldSettings(), validation_alias="SETTINGS"
    )


class WireFields(WireRows):
    rows: tuple[WireField, ...]


class WireDeal(Wire):
    """A deal with its custom fields, by their original names."""

    model_config = ConfigDict(frozen=True, extra="allow")
    id: Id
    title: str | None = None
    comments: str | None = None
    contact_id: Id | None = Field(default=None, validation_alias="contactId")
    originator_id: str | None = Field(default=None, validation_alias="originatorId")
    origin_id: str | None = Field(default=None, validation_alias="originId")

    def numbers_in(self, field: str) -> tuple[str, ...]:
        """Return the bookings that a field names; an empty one comes as an empty list, false or null."""
        held: Any = (self.model_extra or {}).get(field)
        return tuple(str(one) for one in (held if isinstance(held, list) else [held]) if one not in (None, "", False))


class WireDeals(Wire):
    items: tuple[WireDeal, ...]


class WireOneDeal(Wire):
    item: WireDeal
