"""Bitrix24: bookings of resources (`booking.v1`), contacts, deals and the catalogue of services of one portal."""

from __future__ import annotations

from crm.base import Capability, Manifest, SettingField

OAUTH_URL = "https://oauth.bitrix.info"

MANIFEST = Manifest(
    type="bitrix24",
    title="Bitrix24",
    fields=(
        SettingField(
            name="webhook_url",
            title="Inbound webhook",
            secret=True,
            required=False,
            help="Made in the portal under Developer resources, with the rights crm, booking and catalog. It is a key.",
        ),
        SettingField(
            name="application_token",
            title="Token of the outbound webhook",
            secret=True,
            required=False,
            help="Where the portal tells of changes: the token that it shows for that webhook.",
        ),
        SettingField(
            name="portal",
            title="Portal",
            required=False,
            help="In place of a webhook: https://salon.bitrix24.ru, where an application of yours is installed.",
        ),
        SettingField(name="client_id", title="Application's client_id", required=False),
        SettingField(name="client_secret", title="Application's client_secret", secret=True, required=False),
        SettingField(
            name="refresh_token",
            title="Application's refresh_token",
            secret=True,
            required=False,
            help="From the application's authorization in this portal. It is renewed from then on.",
        ),
        SettingField(name="oauth_url", title="Authorization server", required=False, default=OAUTH_URL),
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
        SettingField(
            name="mode",
            title="Mode",
            required=False,
            default="booking",
            help="booking: the portal's online booking; calendar: a portal without it, where a field of deals books.",
        ),
        SettingField(
            name="booking_field",
            title="Field of deals that books",
            required=False,
            help="Mode calendar: as UF_CRM_1709565075; empty: the only one of the type resource booking.",
        ),
        SettingField(
            name="hours",
            title="Working hours",
            required=False,
            help="Mode calendar: Mon-Fri 09:00-21:00; Sat,Sun 10:00-20:00. Empty: the calendar's working time.",
        ),
        SettingField(name="step", title="Minutes between offered times", required=False, default="30"),
        SettingField(
            name="cancelled_stage",
            title="Stage of a cancelled visit",
            required=False,
            help="Mode calendar: as LOSE or C5:LOSE; empty: the deal stays where it is.",
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
            Capability.DAY,
        }
    ),
    tier="documented",
    documents=("https://github.com/bitrix24/b24restdocs", "https://apidocs.bitrix24.ru/"),
)
