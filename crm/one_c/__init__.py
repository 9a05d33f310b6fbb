"""1C:Enterprise: by an HTTP service of one's own, which knows free times, or by the standard OData interface."""

from __future__ import annotations

from crm.base import Manifest, SettingField
from crm.one_c import service

SERVICE, ODATA = "service", "odata"

MANIFEST = Manifest(
    type="1c",
    title="1C:Enterprise",
    fields=(
        SettingField(
            name="base_url",
            title="Address of the published base",
            help="As in a browser, up to the base's name: https://1c.example.com/salon",
        ),
        SettingField(name="user", title="1C user", help="One of its own, with a role for this alone."),
        SettingField(name="password", title="Password", secret=True, any_letters=True),
        SettingField(
            name="interface",
            title="Interface",
            required=False,
            default=SERVICE,
            help="service: the HTTP service of docs/crm-1c.md, recommended; odata: the standard interface.",
        ),
        SettingField(
            name="mapping",
            title="Mapping of the base's objects",
            required=False,
            help="For odata: a ready mapping's name, or one's own.",
        ),
        SettingField(
            name="without",
            title="Parts that the HTTP service lacks",
            required=False,
            help="For service: products, changes, or both with a comma between.",
        ),
        SettingField(
            name="hook_secret",
            title="Secret of the notices that 1C sends",
            secret=True,
            required=False,
            help="For service: at least 16 characters; empty: 1C sends none.",
        ),
    ),
    capabilities=service.CAPABILITIES,
    tier="documented",
    documents=service.DOCUMENTS,
)
