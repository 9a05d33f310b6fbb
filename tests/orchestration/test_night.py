"""Nobody is written to unasked at night, by their own clock: in whatever zone, and in nights when it is changed."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from db.quiet_hours import DEFAULT_QUIET, QuietHours
from orchestration.client_zone import zone_of
from orchestration.night import evening_before, is_night, morning_after

MOSCOW, BERLIN, ALMATY = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Almaty")
AFTER_MIDNIGHT = QuietHours(begins=time(0), until=time(8))
ALL_BUT_AN_HOUR = QuietHours(begins=time(10), until=time(9))


def at(text, zone=MOSCOW):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "quiet", "zone", "night"),
    [
        (at("2026-11-24 20:59"), DEFAULT_QUIET, MOSCOW, False),
        (at("2026-11-24 21:00"), DEFAULT_QUIET, MOSCOW, True),
        (at("2026-11-25 00:00"), DEFAULT_QUIET, MOSCOW, True),
        (at("2026-11-25 08:59"), DEFAULT_QUIET, MOSCOW, True),
        (at("2026-11-25 09:00"), DEFAULT_QUIET, MOSCOW, False),
        pytest.param(at("2026-11-24 19:30"), DEFAULT_QUIET, ALMATY, True, id="evening here, night there"),
        pytest.param(at("2026-11-25 07:30"), DEFAULT_QUIET, ALMATY, False, id="night here, morning there"),
        (at("2026-11-24 23:59"), AFTER_MIDNIGHT, MOSCOW, False),
        (at("2026-11-25 00:00"), AFTER_MIDNIGHT, MOSCOW, True),
        (at("2026-11-25 08:00"), AFTER_MIDNIGHT, MOSCOW, False),
    ],
)
def test_it_is_night_by_the_clients_clock(moment, quiet, zone, night):
    assert is_night(moment, quiet, zone) is night


@pytest.mark.parametrize(
    ("moment", "quiet", "zone", "evening", "morning"),
    [
        (at("2026-11-24 15:00"), DEFAULT_QUIET, MOSCOW, at("2026-11-24 15:00"), at("2026-11-24 15:00")),
        (at("2026-11-24 22:00"), DEFAULT_QUIET, MOSCOW, at("2026-11-24 20:00"), at("2026-11-25 09:00")),
        (at("2026-11-25 07:00"), DEFAULT_QUIET, MOSCOW, at("2026-11-24 20:00"), at("2026-11-25 09:00")),
        (at("2026-11-25 03:00"), AFTER_MIDNIGHT, MOSCOW, at("2026-11-24 23:00"), at("2026-11-25 08:00")),
        pytest.param(
            at("2026-11-25 12:00"),
            ALL_BUT_AN_HOUR,
            MOSCOW,
            at("2026-11-25 09:30"),
            at("2026-11-26 09:00"),
            id="a day of one hour",
        ),
        pytest.param(
            at("2026-03-29 07:00", BERLIN),
            DEFAULT_QUIET,
            BERLIN,
            at("2026-03-28 20:00", BERLIN),
            at("2026-03-29 09:00", BERLIN),
            id="the night in which the clock is put forward",
        ),
        pytest.param(
            at("2026-10-25 02:30", BERLIN).replace(fold=1),
            DEFAULT_QUIET,
            BERLIN,
            at("2026-10-24 20:00", BERLIN),
            at("2026-10-25 09:00", BERLIN),
            id="the hour that comes twice",
        ),
    ],
)
def test_what_would_come_at_night_comes_in_the_evening_before_or_the_morning_after(
    moment, quiet, zone, evening, morning
):
    assert evening_before(moment, quiet, zone) == evening
    assert morning_after(moment, quiet, zone) == morning
    assert not is_night(evening, quiet, zone)
    assert not is_night(morning, quiet, zone)


@pytest.mark.parametrize(
    ("phone", "home", "zone"),
    [
        pytest.param("+77010000000", MOSCOW, "Asia/Almaty", id="a client from Kazakhstan"),
        pytest.param("+79160000001", MOSCOW, "Europe/Moscow", id="a Russian mobile is at home in Moscow"),
        pytest.param("+79160000001", ZoneInfo("Asia/Vladivostok"), "Asia/Vladivostok", id="and in Vladivostok"),
        pytest.param(None, MOSCOW, "Europe/Moscow", id="no number"),
        pytest.param("", MOSCOW, "Europe/Moscow", id="an erased number"),
        pytest.param("12", MOSCOW, "Europe/Moscow", id="what is no number"),
    ],
)
def test_the_client_lives_by_the_salons_clock_unless_their_number_leaves_no_doubt(phone, home, zone):
    assert zone_of(phone, home, at("2026-11-25 15:00")).key == zone
