"""The capacity model: it names what it lacks, more companies never need less, and its walls stand where sums say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import factorial, inf

import pytest

from bench.capacity.inputs import MEASURED, Assumptions, FigureMissing, Figures
from bench.capacity.plan import crm_calls_per_s, plan, turns_per_s, walls
from bench.capacity.simulation import Seen, System, day, poisson, simulate, simulate_busy, system_of

SOME = {
    "intake_per_s": 2000.0,
    "turn_model_calls": 2.0,
    "rss_gateway_mb": 120.0,
    "rss_500_waiting_mb": 500.0,
    "prompt_tokens_per_turn": 8000.0,
    "cached_share": 0.5,
    "worker_turn_cpu_ms": 40.0,
    "gateway_turn_cpu_ms": 2.0,
    "turn_db_cpu_ms": 15.0,
    "turn_db_commits": 8.0,
    "turn_wal_kb": 30.0,
    "turn_disk_kb": 8.0,
    "turn_redis_cpu_ms": 1.0,
    "turn_redis_commands": 20.0,
    "redis_kb_per_dialogue": 2.0,
    "db_commits_per_s": 3000.0,
}
GIVEN = Assumptions()
ONE_DESK = System(
    gateways=1, workers=1, turns_at_once=20, gateway_cpu_s=0.0, worker_cpu_s=0.02, db_cores=1, db_cpu_s=0.0,
    commit_s=0.0, model_calls=2, model_s=1.5, crm_calls=1, crm_s=0.3, spread=0.0,
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_a_figure_that_was_not_measured_is_told_by_name_with_what_makes_it(name):
    lacking = Figures({one: value for one, value in SOME.items() if one != name})

    def ask():
        plan(100, lacking, GIVEN)
        system_of(lacking, GIVEN)

    with pytest.raises(FigureMissing, match=name) as told:
        ask()
    assert MEASURED[name][0] in str(told.value)


def test_a_given_figure_stands_above_a_measured_one():
    assert Figures(SOME, {"cached_share": 0.9})["cached_share"] == 0.9


def test_more_companies_never_need_less():
    sizes = [1, 50, 100, 999, 10_000, 123_456, 1_000_000]
    plans = [plan(size, Figures(SOME), GIVEN) for size in sizes]

    for fewer, more in pairwise(plans):
        for name in _NEVER_FEWER:
            assert getattr(more, name) >= getattr(fewer, name), name
        assert more.machines_usd_per_company <= fewer.machines_usd_per_company * 1.1


_NEVER_FEWER = (
    "gateways", "workers", "postgres_cores", "postgres_nodes", "postgres_connections", "redis_nodes", "crm_addresses",
    "disk_gb_per_day", "tokens_per_month", "tokens_usd", "machines_usd", "turns_in_flight", "memory_gb",
)  # fmt: skip


def test_busier_companies_never_need_less():
    busier = replace(GIVEN, messages_per_day=GIVEN.messages_per_day * 3)

    for name in _NEVER_FEWER:
        assert getattr(plan(5000, Figures(SOME), busier), name) >= getattr(plan(5000, Figures(SOME), GIVEN), name), name


def test_the_peak_is_the_busiest_hour_with_its_burst():
    given = replace(GIVEN, messages_per_day=36, busy_hour_share=0.1, burst=2.0, turns_per_message=0.5)

    assert turns_per_s(1000, given) == pytest.approx(1000 * 36 * 0.1 / 3600 * 2 * 0.5)


def test_the_wall_of_the_crm_is_where_its_limit_is_used_up_and_addresses_move_it():
    one, three = GIVEN, replace(GIVEN, addresses=3)
    [wall] = [wall for wall in walls(Figures(SOME), one) if wall.name.startswith("YCLIENTS")]
    [moved] = [wall for wall in walls(Figures(SOME), three) if wall.name.startswith("YCLIENTS")]

    assert crm_calls_per_s(wall.companies, one) == pytest.approx(one.yclients_per_s)
    assert moved.companies == pytest.approx(3 * wall.companies)
    assert plan(int(wall.companies), Figures(SOME), one).crm_addresses == 1
    assert plan(int(wall.companies) + 1, Figures(SOME), one).crm_addresses == 2


def test_the_limit_of_yclients_is_the_one_that_the_code_keeps():
    # 4 a second, and 180 a minute: the latter is the lower over any length of time.
    assert GIVEN.yclients_per_s == pytest.approx(3.0)


def test_walls_come_the_nearest_first_and_a_messengers_is_none_of_ours():
    found = walls(Figures(SOME), GIVEN)

    assert [wall.companies for wall in found] == sorted(wall.companies for wall in found)
    assert [wall.companies for wall in found if "bot" in wall.name or "number" in wall.name] == [inf, inf]


def test_the_simulation_waits_as_long_as_erlangs_formula_says():
    # M/M/c: the queue alone, with exponential times.
    servers, rate, mean = 3, 2.2, 1.0
    waited = _erlang_c(servers, rate * mean) * mean / (servers - rate * mean)

    seen = _simple_queue(servers, rate, mean, seconds=40_000)

    assert sum(seen.took) / len(seen.took) == pytest.approx(waited + mean, rel=0.05)


def test_as_many_are_inside_as_come_in_their_time():
    """Little's law: the mean number inside is the rate times the mean time."""
    seen = _simple_queue(3, 2.2, 1.0, seconds=40_000)

    # busy places x places = rate x mean service; both counted apart from each other.
    assert seen.busy["servers"] * 3 == pytest.approx(seen.per_s * 1.0, rel=0.03)


def test_one_at_a_time_takes_what_its_parts_take():
    seen = simulate_busy(ONE_DESK, 1, 100.0, warm_s=10.0)

    assert seen.quantile(50) == pytest.approx(2 * 1.5 + 0.3 + 0.02)
    assert seen.per_s == pytest.approx(1 / (2 * 1.5 + 0.3 + 0.02), rel=0.05)


def test_places_bound_how_many_turns_are_made():
    seen = simulate_busy(ONE_DESK, 100, 200.0, warm_s=20.0)

    assert seen.per_s == pytest.approx(20 / (2 * 1.5 + 0.3 + 0.02), rel=0.1)


def test_a_second_worker_makes_twice_as_many_turns():
    two = simulate_busy(replace(ONE_DESK, workers=2), 200, 200.0, warm_s=20.0)
    one = simulate_busy(ONE_DESK, 200, 200.0, warm_s=20.0)

    assert two.per_s / one.per_s == pytest.approx(2.0, rel=0.05)


def test_turns_are_made_at_the_pace_of_the_crms_address():
    paced = replace(ONE_DESK, turns_at_once=500, crm_addresses=1, crm_per_s=3.0)

    seen = simulate_busy(paced, 400, 300.0, warm_s=200.0)

    assert seen.per_s == pytest.approx(3.0, rel=0.05)


def test_the_same_seed_gives_the_same_figures():
    spread = replace(ONE_DESK, spread=0.4)
    first, again, other = (simulate(spread, poisson(3, 200), seed=seed).took for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_day_has_its_curve():
    seen = simulate(replace(ONE_DESK, worker_cpu_s=0.0), day(5000))
    busiest = simulate(replace(ONE_DESK, worker_cpu_s=0.0), day(5000, from_hour=18, hours=1))
    night = simulate(replace(ONE_DESK, worker_cpu_s=0.0), day(5000, from_hour=3, hours=1))

    assert len(seen.took) == pytest.approx(5000, rel=0.05)
    assert len(busiest.took) > 5 * len(night.took)


def _erlang_c(servers: int, offered: float) -> float:
    last = offered**servers / factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**n / factorial(n) for n in range(servers)) + last)


def _simple_queue(places: int, rate: float, mean: float, *, seconds: float) -> Seen:
    import random

    from bench.capacity.events import Server, World, served

    chance, world, server, seen = random.Random(5), World(), Server(places), Seen()  # noqa: S311 (repeatable)

    def one():
        came = world.now
        yield from served(server, chance.expovariate(1 / mean))
        seen.took.append(world.now - came)

    for at in poisson(rate, seconds)(chance):
        world.start(one(), after_s=at)
    world.run()
    seen.seconds = world.now
    seen.busy["servers"] = server.busy_s / places / world.now
    return seen
