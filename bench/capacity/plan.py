"""What so many companies need: arithmetic over measured figures and assumptions, no randomness in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, inf

from bench.capacity.inputs import Assumptions, Figures

SIZES = (100, 10_000, 1_000_000)
_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_MB_PER_GB = 1024.0
_KB_PER_GB = 1024.0 * 1024.0
_MILLION = 1_000_000.0
_WAITING = 500
"""So many turns wait in the worker whose memory is `rss_500_waiting_mb`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one size needs at its peak. Rates are a second; costs are US dollars a month."""

    companies: int
    messages_per_s: float
    turns_per_s: float
    turns_in_flight: float
    gateways: int
    workers: int
    postgres_cores: int
    postgres_nodes: int
    postgres_connections: int
    commits_per_s: float
    disk_gb_per_day: float
    disk_gb_kept: float
    wal_mb_per_s: float
    redis_nodes: int
    redis_commands_per_s: float
    redis_memory_gb: float
    memory_gb: float
    crm_calls_per_s: float
    crm_addresses: int
    model_calls_per_s: float
    model_tokens_per_minute: float
    tokens_per_month: float
    tokens_usd: float
    machines_usd: float

    @property
    def machines_usd_per_company(self) -> float:
        return self.machines_usd / self.companies

    @property
    def tokens_usd_per_company(self) -> float:
        return self.tokens_usd / self.companies


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Where something ends. `companies`: as many are served before it; inf where it does not come."""

    name: str
    companies: float
    counted: str
    moved_by: str


def turns_per_s(companies: float, given: Assumptions) -> float:
    """Return the turns a second at the peak."""
    return messages_per_s(companies, given) * given.turns_per_message


def messages_per_s(companies: float, given: Assumptions) -> float:
    """Return the messages of clients a second at the peak: the busiest minutes of the busiest hour."""
    return companies * given.messages_per_day * given.busy_hour_share * given.burst / _HOUR_S


def turn_s(figures: Figures, given: Assumptions) -> float:
    """Return how long a turn holds its place in a worker when nobody waits."""
    waited = figures["turn_model_calls"] * given.model_s + given.crm_calls_per_turn * given.crm_s
    return waited + (figures["worker_turn_cpu_ms"] + figures["turn_db_cpu_ms"]) / 1000


def crm_calls_per_s(companies: float, given: Assumptions) -> float:
    """Return the calls of YCLIENTS a second at the peak: those of turns, and catalogues that are read anew.

    A catalogue is read anew while somebody has written within the hour: of a Poisson stream, all but exp(-messages).
    Appointments are looked after at a steady pace, whether anybody writes or not.
    """
    ours = companies * given.yclients_share
    awake = 1 - exp(-given.messages_per_day * given.busy_hour_share)
    refreshes = awake * given.crm_refresh_calls / (given.crm_refresh_minutes * 60)
    sweeps = given.crm_sweep_calls / (given.crm_sweep_minutes * 60)
    return turns_per_s(ours, given) * given.crm_calls_per_turn + ours * (refreshes + sweeps)


def plan(companies: int, figures: Figures, given: Assumptions) -> Plan:
    """Return what so many companies need at their peak. Raises FigureMissing."""
    messages, turns = messages_per_s(companies, given), turns_per_s(companies, given)
    flight = turns * turn_s(figures, given)
    gateways = _nodes(messages / figures["intake_per_s"], turns * figures["gateway_turn_cpu_ms"] / 1000, given)
    workers = _nodes(turns * figures["worker_turn_cpu_ms"] / 1000, flight / given.turns_at_once, given)
    db_cores = max(1, ceil(turns * figures["turn_db_cpu_ms"] / 1000 / given.headroom))
    commits = turns * figures["turn_db_commits"]
    postgres = max(1, ceil(db_cores / given.primary_cores))
    day = companies * given.messages_per_day * given.turns_per_message
    disk_day = day * figures["turn_disk_kb"] / _KB_PER_GB
    dialogues = companies * given.messages_per_day / given.dialogue_messages * given.redis_days
    redis_gb = dialogues * figures["redis_kb_per_dialogue"] / _KB_PER_GB
    redis_busy = turns * figures["turn_redis_cpu_ms"] / 1000 / given.headroom
    redis = max(1, ceil(max(redis_busy, redis_gb / given.headroom / given.redis_node_gb)))
    memory = (gateways * figures["rss_gateway_mb"] + workers * _worker_mb(figures, given)) / _MB_PER_GB
    month = day * given.days_per_month
    prompt, written = month * figures["prompt_tokens_per_turn"], month * given.output_tokens
    cores = gateways + workers + db_cores + redis
    kept = disk_day * given.keep_days
    return Plan(
        companies=companies,
        messages_per_s=messages,
        turns_per_s=turns,
        turns_in_flight=flight,
        gateways=gateways,
        workers=workers,
        postgres_cores=db_cores,
        postgres_nodes=postgres,
        postgres_connections=round(gateways * given.gateway_connections + workers * given.worker_connections),
        commits_per_s=commits,
        disk_gb_per_day=disk_day,
        disk_gb_kept=kept,
        wal_mb_per_s=turns * figures["turn_wal_kb"] / 1024,
        redis_nodes=redis,
        redis_commands_per_s=turns * figures["turn_redis_commands"],
        redis_memory_gb=redis_gb,
        memory_gb=memory,
        crm_calls_per_s=crm_calls_per_s(companies, given),
        crm_addresses=ceil(crm_calls_per_s(companies, given) / given.yclients_per_s),
        model_calls_per_s=turns * figures["turn_model_calls"],
        model_tokens_per_minute=turns * 60 * figures["prompt_tokens_per_turn"],
        tokens_per_month=prompt + written,
        tokens_usd=_tokens_usd(prompt, written, figures["cached_share"], given),
        machines_usd=cores * given.core_hour_usd * 24 * given.days_per_month + kept * given.disk_gb_month_usd,
    )


def walls(figures: Figures, given: Assumptions) -> Sequence[Wall]:
    """Return the walls, the nearest first. Raises FigureMissing."""
    one = plan(1, figures, given)
    primary = given.primary_cores * given.headroom / (one.turns_per_s * figures["turn_db_cpu_ms"] / 1000)
    redis_cpu = given.headroom / (one.turns_per_s * figures["turn_redis_cpu_ms"] / 1000)
    redis_memory = given.redis_node_gb * given.headroom / one.redis_memory_gb
    of_one = one.messages_per_s
    found = [
        Wall(
            name="YCLIENTS, by outgoing address",
            companies=given.addresses * _over(given.yclients_per_s, one.crm_calls_per_s),
            counted=f"{given.addresses:g} address(es) of {given.yclients_per_s:g} calls a second",
            moved_by="more addresses (AI_ADMIN_CRM_PROXIES), in proportion; reading catalogues anew less often",
        ),
        Wall(
            name="The model's quota",
            companies=_over(given.model_tokens_per_minute, one.model_tokens_per_minute),
            counted=f"{given.model_tokens_per_minute:,.0f} tokens of prompt a minute, one project",
            moved_by="a higher tier of the provider; a key of its own for a company",
        ),
        Wall(
            name="One PostgreSQL primary",
            companies=primary,
            counted=f"{given.primary_cores:g} cores; {primary * one.commits_per_s:,.0f} commits a second then",
            moved_by="Citus, by company (ai-admin db distribute), until the work queue on its coordinator is full",
        ),
        Wall(
            name="One Redis",
            companies=min(redis_cpu, redis_memory),
            counted="its one core" if redis_cpu <= redis_memory else f"its {given.redis_node_gb:g} GB",
            moved_by="Redis Cluster (redis+cluster://)",
        ),
    ]
    # What a messenger allows is a bot's or a number's own: it ends one large company, never many small ones.
    for name, rate in (("A Telegram bot", given.bot_per_s), ("A WhatsApp number", given.number_per_s)):
        found.append(
            Wall(
                name=name,
                companies=inf,
                counted=f"{rate:g} messages a second each: {rate / of_one:,.0f} times a mean company",
                moved_by="nothing to move: each company has its own",
            )
        )
    return sorted(found, key=lambda wall: wall.companies)


def _nodes(busy: float, other: float, given: Assumptions) -> int:
    """Return how many processes keep both demands within the headroom."""
    return max(1, ceil(max(busy, other) / given.headroom))


def _worker_mb(figures: Figures, given: Assumptions) -> float:
    """A worker is counted with 500 turns that wait, though fewer do: its base is most of it."""
    return figures["rss_500_waiting_mb"] * max(1.0, given.turns_at_once / _WAITING)


def _tokens_usd(prompt: float, written: float, cached: float, given: Assumptions) -> float:
    read = prompt * ((1 - cached) * given.input_price + cached * given.cached_price)
    return (read + written * given.output_price) / _MILLION


def _over(allowed: float, of_one: float) -> float:
    return allowed / of_one if of_one else inf
