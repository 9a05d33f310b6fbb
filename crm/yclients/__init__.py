"""YCLIENTS and its international edition Altegio: one API, two hosts."""

from __future__ import annotations

from crm.base import Capability, Manifest, SettingField

YCLIENTS_URL = "https://api.yclients.com"
ALTEGIO_URL = "https://api.alteg.io"

MANIFEST = Manifest(
    type="yclients",
    title="YCLIENTS / Altegio",
    fields=(
        SettingField(
            name="partner_token",
            title="Partner token",
            secret=True,
            help="The application's page in the marketplace or the developer's account shows it.",
        ),
        SettingField(
            name="user_token",
            title="User token",
            secret=True,
            help="Of a system user with rights to records and clients of the branch: the application's API access tab.",
        ),
        SettingField(
            name="company_id",
            title="Branch id",
            required=False,
            help="For branches without an account id of their own; the number in the address of the branch's cabinet.",
        ),
        SettingField(
            name="api_url",
            title="API address",
            required=False,
            default=YCLIENTS_URL,
            help="https://api.yclients.ru too.",
        ),
        SettingField(name="flavour", title="Edition", required=False, default="yclients", help="yclients or altegio."),
        SettingField(
            name="widget_url",
            title="Online booking page",
            required=False,
            help="Where clients book services that demand prepayment; empty: the branch's widget as the CRM names it.",
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
            Capability.CHANGES,
            Capability.CONFIRM,
            Capability.DAY,
        }
    ),
    tier="documented",
    documents=(
        "https://developers.yclients.com/ru/",
        "https://github.com/mkosinov/yclientsapi (docs/yclients_official/yclientsru.apib)",
        "https://github.com/vgrish/yclients-openapi-php (Yclients.openapi.json)",
    ),
)
