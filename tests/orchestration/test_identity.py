"""Whose number it is, and whether the clock on their wall is the salon's."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from orchestration.identity import lives_elsewhere


@pytest.mark.parametrize(
    ("phone", "zone", "elsewhere"),
    [
        ("+79160000001", "Europe/Moscow", False),
        ("+77010000000", "Europe/Moscow", True),
        ("+77010000000", "Asia/Almaty", False),
        ("+77010000000", "Asia/Yekaterinburg", False),
        ("+4915112345678", "Europe/Moscow", True),
        (None, "Europe/Moscow", False),
    ],
)
def test_a_client_lives_elsewhere_only_where_the_number_leaves_no_doubt(phone, zone, elsewhere):
    assert lives_elsewhere(phone, datetime(2026, 11, 25, 15, 0, tzinfo=ZoneInfo(zone))) is elsewhere


@pytest.mark.parametrize("phone", ["+74012123456", "+79114567890"])
@pytest.mark.parametrize("month", [1, 7])
def test_who_lives_in_kaliningrad_is_at_home_there_in_summer_too(phone, month):
    assert not lives_elsewhere(phone, datetime(2026, month, 15, 12, 0, tzinfo=ZoneInfo("Europe/Kaliningrad")))


async def test_a_client_from_elsewhere_is_told_whose_clock_it_is(house):
    here, there = house.client(), house.client()
    there.phone = "+77010000001"

    assert "15:00 (по времени: Москва)" in (await there.reaches_proposal()).text
    assert "по времени" not in (await here.reaches_proposal()).text


@pytest.mark.parametrize(
    ("phone", "zone", "elsewhere"),
    [
        pytest.param("+74951234567", "Europe/Moscow", False, id="a Moscow landline"),
        pytest.param("+74951234567", "Asia/Vladivostok", True, id="a Moscow landline, a salon in Vladivostok"),
        pytest.param("+79160000001", "Asia/Vladivostok", False, id="a Russian mobile may be anywhere in Russia"),
        pytest.param("+79160000001", "America/New_York", True, id="a Russian mobile, a salon abroad"),
        pytest.param("+77272345678", "Europe/Moscow", True, id="an Almaty landline"),
        pytest.param("+375291234567", "Europe/Moscow", False, id="Minsk has Moscow's time"),
        pytest.param("+998901234567", "Europe/Moscow", True, id="Tashkent has not"),
        pytest.param("+12025550123", "Europe/Moscow", True, id="a client in America"),
        pytest.param("+88005553535", "Europe/Moscow", False, id="a number of no place"),
        pytest.param("+70000000000", "Europe/Moscow", False, id="no number that there is"),
    ],
)
def test_a_number_tells_as_much_of_its_zone_as_it_can(phone, zone, elsewhere):
    assert lives_elsewhere(phone, datetime(2026, 11, 25, 15, 0, tzinfo=ZoneInfo(zone))) is elsewhere


@pytest.mark.parametrize(("month", "elsewhere"), [(7, True), (11, False)])
def test_what_counts_is_the_time_at_that_moment_and_not_the_zones_name(month, elsewhere):
    """London has Accra's time in winter only."""
    assert (
        lives_elsewhere("+233241234567", datetime(2026, month, 25, 12, 0, tzinfo=ZoneInfo("Europe/London")))
        is elsewhere
    )
