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
