"""Whose clock a phone number lives by: a zone is named only where the client's clock surely shows another time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestration.identity import lives_by_another_clock

AUTUMN, SUMMER = datetime(2026, 11, 25, 12, 0, tzinfo=UTC), datetime(2026, 7, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phone", "zone", "another"),
    [
        pytest.param("+79160000001", "Europe/Moscow", False, id="a Moscow client of a Moscow salon"),
        pytest.param("+74951234567", "Europe/Moscow", False, id="a Moscow landline"),
        pytest.param("+77010000001", "Europe/Moscow", True, id="a Kazakh mobile, a Moscow salon"),
        pytest.param("+77272345678", "Europe/Moscow", True, id="an Almaty landline, a Moscow salon"),
        pytest.param("+77010000001", "Asia/Almaty", False, id="a Kazakh mobile, an Almaty salon"),
        pytest.param("+77010000001", "Asia/Yekaterinburg", False, id="another country with the same time"),
        pytest.param("+79160000001", "Asia/Vladivostok", False, id="a Russian mobile may be anywhere in Russia"),
        pytest.param("+79160000001", "Europe/Kaliningrad", False, id="in Kaliningrad too"),
        pytest.param("+74951234567", "Asia/Vladivostok", True, id="a Moscow landline, a salon in Vladivostok"),
        pytest.param("+79160000001", "America/New_York", True, id="a Russian mobile, a salon abroad"),
        pytest.param("+375291234567", "Europe/Moscow", False, id="Minsk has Moscow's time"),
        pytest.param("+998901234567", "Europe/Moscow", True, id="Tashkent has not"),
        pytest.param("+12025550123", "Europe/Moscow", True, id="a client in America"),
        pytest.param("+88005553535", "Europe/Moscow", False, id="a number of no place"),
        pytest.param("+70000000000", "Europe/Moscow", False, id="no number that there is"),
        pytest.param("not a phone", "Europe/Moscow", False, id="no number at all"),
        pytest.param(None, "Europe/Moscow", False, id="no phone known"),
    ],
)
def test_a_clients_clock_is_another_only_where_it_surely_is(phone, zone, another):
    assert lives_by_another_clock(phone, zone, AUTUMN) is another


def test_what_counts_is_the_time_at_that_moment_and_not_the_zones_name():
    """London keeps Lisbon's time the year round, and Accra's in winter only."""
    assert not lives_by_another_clock("+351211234567", "Europe/London", SUMMER)
    assert not lives_by_another_clock("+233241234567", "Europe/London", AUTUMN)
    assert lives_by_another_clock("+233241234567", "Europe/London", SUMMER)
