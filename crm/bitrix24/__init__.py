"""Bitrix24: bookings of resources (`booking.v1`), contacts, deals and the catalogue of services of one portal."""

from __future__ import annotations

from crm.base import Capability, Manifest, SettingField

MANIFEST = Manifest(
    type="bitrix24",
    title="Bitrix24",
    fields=(
        SettingField(
            name="webhook_url",
            title="Inbound webhook",
            secret=True,
            help="Made in the portal under Developer resources, with the rights crm, booking and catalog. It is a key.",
        ),
        SettingField(
            name="application_token",
            title="Token of the outbound webhook",
            secret=True,
            required=False,
            help="Where the portal tells of changes: the token that it shows for that webhook.",
        ),
        SettingField(name="catalogue_id", title="Catalogue of services", required=False, help="Empty: the first one."),
        SettingField(
            name="duration_property",
            title="Property with the minutes",
            required=False,
            help="The number of the custom property of a service that holds its length; `crm mapping` lists them.",
        ),
        SettingField(
            name="masters_property",
            title="Property with the masters",
            required=False,
            help="The number of the one that holds ids of the resources that do the service; empty: all do all.",
        ),
        SettingField(name="resource_type", title="Type of resources", required=False, help="Empty: all are masters."),
        SettingField(name="visit_as", title="A visit is", required=False, default="deal", help="deal, lead or none."),
        SettingField(name="funnel", title="Funnel of the deals", required=False, default="0"),
        SettingField(
            name="stage", title="Stage of a new visit", required=False, help="As NEW or C5:NEW; empty: first."
        ),
    ),
    capabilities=frozenset(
        {
            Capability.CATALOGUE,
            Capability.SLOTS,
            Capability.STAFF_CHOICE,
            Capability.CREATE,
            Capability.MOVE,
            Capability.CANCEL,
            Capability.LIST,
            Capability.CLIENTS,
            Capability.FIND_BY_EXTERNAL_ID,
            Capability.HOOKS,
        }
    ),
    tier="documented",
    documents=("https://github.com/bitrix24/b24restdocs", "https://apidocs.bitrix24.ru/"),
)
