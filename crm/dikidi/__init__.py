"""DIKIDI: online booking without a public API.

The vendor documents none. What the adapter may use is set per company: only the booking page, reading the public
booking widget, or booking through it. What it knows of the widget comes from public clients, and may change any day.
"""

from __future__ import annotations

from crm.base import Capability, Manifest, SettingField

SITE_URL = "https://dikidi.net"
LINK, WIDGET_READ, WIDGET_BOOK = "link", "widget_read", "widget_book"

BY_MODE = {
    LINK: frozenset({Capability.BOOKING_PAGE}),
    WIDGET_READ: frozenset({Capability.BOOKING_PAGE, Capability.CATALOGUE, Capability.SLOTS, Capability.STAFF_CHOICE}),
    WIDGET_BOOK: frozenset(
        {
            Capability.BOOKING_PAGE,
            Capability.CATALOGUE,
            Capability.SLOTS,
            Capability.STAFF_CHOICE,
            Capability.CREATE,
        }
    ),
}
"""The widget has no look-up of clients, no moving, and lets only the session that booked cancel: none is offered."""

MANIFEST = Manifest(
    type="dikidi",
    title="DIKIDI",
    fields=(
        SettingField(
            name="company_id",
            title="Company id",
            required=False,
            help="The number in the booking page's address, for branches without an account id of their own.",
        ),
        SettingField(
            name="mode",
            title="Mode",
            required=False,
            default=LINK,
            help="link: clients get the booking page; widget_read: services and free times from the public widget; "
            "widget_book: books through it (undocumented: ask DIKIDI first).",
        ),
        SettingField(name="site_url", title="Address", required=False, default=SITE_URL, help="dikidi.ru too."),
        SettingField(name="currency", title="Currency", required=False, default="RUB"),
        SettingField(
            name="page_url",
            title="Booking page",
            required=False,
            help="Where it is not dikidi.net with the company's id.",
        ),
    ),
    capabilities=BY_MODE[WIDGET_BOOK],
    tier="undocumented",
    documents=(
        "https://github.com/Alex221291/dikidi-booking-api (a public client of the widget)",
        "https://github.com/SemyonBurlak/dikidi-api (a public client of the widget)",
    ),
    may_lessen=True,
)
