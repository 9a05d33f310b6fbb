"""What the capacity model is fed with: figures that were measured here, and assumptions that anyone may replace."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crm.yclients.client import limits_of

_ROOT = Path(__file__).parent.parent.parent
RESULTS = _ROOT / "bench" / "results" / "latest.json"
_PRICES = _ROOT / "orchestration" / "model_prices.toml"
MODEL = "gemini-3.8-flash"

_STORES = "python -m bench.capacity --measure"
MEASURED: Mapping[str, tuple[str, str]] = {
    "intake_per_s": ("make bench PART=intake", "webhooks a second that one gateway process commits"),
    "turn_model_calls": ("make bench PART=turns", "calls of the model a turn"),
    "rss_gateway_mb": ("make bench PART=startup", "memory of a gateway"),
    "rss_500_waiting_mb": ("make bench PART=memory", "memory of a worker with 500 turns that wait"),
    "prompt_tokens_per_turn": ("make bench PART=prompt", "tokens of prompt that a turn sends, all its calls together"),
    "cached_share": ("make bench PART=prompt", "share of them that the provider's cache served (simulated)"),
    "worker_turn_cpu_ms": (_STORES, "processor time of a worker for a turn, delivery included"),
    "gateway_turn_cpu_ms": (_STORES, "processor time of a gateway for a turn's webhook, at the turns' pace"),
    "turn_db_cpu_ms": (_STORES, "processor time of PostgreSQL for a turn"),
    "turn_db_commits": (_STORES, "transactions of a turn"),
    "turn_wal_kb": (_STORES, "write-ahead log of a turn"),
    "turn_disk_kb": (_STORES, "what the database has grown by after a turn"),
    "turn_redis_cpu_ms": (_STORES, "processor time of Redis for a turn"),
    "turn_redis_commands": (_STORES, "commands that Redis ran for a turn"),
    "redis_kb_per_dialogue": (_STORES, "memory of Redis for a dialogue"),
    "db_commits_per_s": (_STORES, "one-row transactions a second of this machine's PostgreSQL (pgbench)"),
}
"""The figures the model reads: what makes each, and what it is."""


class FigureMissing(Exception):
    """A figure was not measured yet; the message names it and says what makes it."""


class Figures:
    """Measured figures by name. `given` stand above what was measured."""

    def __init__(self, measured: Mapping[str, object], given: Mapping[str, float] | None = None) -> None:
        self._all = {**measured, **(given or {})}

    @classmethod
    def read(cls, path: Path = RESULTS, given: Mapping[str, float] | None = None) -> Figures:
        measured = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return cls(measured, given)

    def __getitem__(self, name: str) -> float:
        """Return a figure. Raises FigureMissing, which says what makes it."""
        found = self._all.get(name)
        if isinstance(found, int | float):
            return float(found)
        made_by, what = MEASURED[name]
        raise FigureMissing(f"{name} ({what}) is not there: run `{made_by}`, or give it with --figure {name}=VALUE")


def _price(kind: str) -> float:
    return float(tomllib.loads(_PRICES.read_text(encoding="utf-8"))["models"][MODEL][kind])


def _assumed(default: float, what: str) -> float:
    return field(default=default, metadata={"what": what})


def _read(make: object, what: str) -> float:
    return field(default_factory=make, metadata={"what": what})  # type: ignore[call-overload, no-any-return]


def _yclients(name: str) -> float:
    [found] = [one.rate / one.per.total_seconds() for one in limits_of("yclients") if one.name.endswith(name)]
    return found


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What was not measured. Each may be given on the command line: `--messages-per-day 60`."""

    messages_per_day: float = _assumed(40, "messages of clients to a company a day")
    days_per_month: float = _assumed(30, "days of a month")
    busy_hour_share: float = _assumed(0.12, "share of a day's messages in its busiest hour")
    burst: float = _assumed(1.5, "the busiest minutes over the busiest hour's mean")
    turns_per_message: float = _assumed(0.8, "turns a message; what is written in one breath is one turn")
    headroom: float = _assumed(0.6, "share of a core or node that the peak may use")
    output_tokens: float = _assumed(400, "tokens that the model writes a turn, thoughts included")
    input_price: float = _read(lambda: _price("input"), "US dollars a million tokens of prompt (model_prices.toml)")
    cached_price: float = _read(lambda: _price("cached"), "the same, served from the cache (model_prices.toml)")
    output_price: float = _read(lambda: _price("output"), "US dollars a million tokens written (model_prices.toml)")
    model_s: float = _assumed(1.5, "seconds that a call of the model takes")
    crm_s: float = _assumed(0.3, "seconds that a call of the CRM takes")
    model_tokens_per_minute: float = _assumed(4_000_000, "tokens of prompt a minute that the model's quota allows")
    crm_calls_per_turn: float = _assumed(1.0, "calls of the CRM that a turn makes")
    crm_refresh_calls: float = _assumed(4, "calls that read a company's catalogue anew (rules, services, staff, goods)")
    crm_refresh_minutes: float = _assumed(8, "a company written to within the hour is read anew so often")
    crm_sweep_calls: float = _assumed(1, "calls that look whether a company's appointments were changed")
    crm_sweep_minutes: float = _assumed(15, "they are looked after so often (bot/crm_watch.py, with the CRM's hooks)")
    yclients_share: float = _assumed(1.0, "share of the companies whose CRM is YCLIENTS")
    yclients_per_s: float = _read(
        lambda: min(_yclients(":second"), _yclients(":minute")), "calls a second from one address, as the code keeps it"
    )
    addresses: float = _assumed(1, "outgoing addresses that are there (AI_ADMIN_CRM_PROXIES)")
    turns_at_once: float = _assumed(50, "turns in flight in one worker (AI_ADMIN_TURNS_AT_ONCE)")
    gateway_connections: float = _assumed(10, "database connections of a gateway (bot/app.py)")
    worker_connections: float = _assumed(20, "database connections of a worker (bot/roles.py)")
    primary_cores: float = _assumed(32, "cores of the largest single PostgreSQL primary")
    dialogue_messages: float = _assumed(6, "messages of a client in one dialogue")
    redis_days: float = _assumed(2, "days that Redis keeps a dialogue's state (docs/privacy.md)")
    redis_node_gb: float = _assumed(8, "memory of one Redis node")
    keep_days: float = _assumed(365, "days that texts are kept (privacy.keep_days.texts)")
    bot_per_s: float = _assumed(30, "messages a second that one Telegram bot may send (Bots FAQ)")
    number_per_s: float = _assumed(80, "messages a second that one WhatsApp number may send (Meta)")
    core_hour_usd: float = _assumed(0.03, "US dollars for an hour of one core with 4 GB of memory")
    disk_gb_month_usd: float = _assumed(0.10, "US dollars for a GB of disk a month")
