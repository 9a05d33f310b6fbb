"""The figures of docs/capacity.md, written between two marks of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path

from bench.capacity.plan import Plan, Wall

PAGE = Path(__file__).parent.parent.parent / "docs" / "capacity.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_ROWS = (
    ("messages a second at the peak", "messages_per_s", ",.4g"),
    ("turns in flight", "turns_in_flight", ",.3g"),
    ("gateways (processes, a core each)", "gateways", ",d"),
    ("workers (processes, a core each)", "workers", ",d"),
    ("PostgreSQL, cores", "postgres_cores", ",d"),
    ("PostgreSQL, primaries", "postgres_nodes", ",d"),
    ("PostgreSQL, connections without a pooler", "postgres_connections", ",d"),
    ("commits a second", "commits_per_s", ",.3g"),
    ("disk, GB a day", "disk_gb_per_day", ",.3g"),
    ("disk, GB kept", "disk_gb_kept", ",.3g"),
    ("Redis, nodes", "redis_nodes", ",d"),
    ("Redis, GB", "redis_memory_gb", ",.2g"),
    ("memory of our processes, GB", "memory_gb", ",.3g"),
    ("outgoing addresses, if all had YCLIENTS", "crm_addresses", ",d"),
    ("calls of the model a second", "model_calls_per_s", ",.3g"),
    ("tokens a month, millions", "tokens_per_month", "millions"),
    ("the model, US dollars a company and month", "tokens_usd_per_company", ",.2f"),
    ("our machines, US dollars a company and month", "machines_usd_per_company", ",.3f"),
)


def write(plans: Sequence[Plan], walls: Sequence[Wall], page: Path = PAGE) -> None:
    """Put the tables in place of those that stand there. Raises ValueError where the page has no marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page.name} has no place for the figures: {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{_tables(plans, walls)}{END}{after}", encoding="utf-8")


def _tables(plans: Sequence[Plan], walls: Sequence[Wall]) -> str:
    lines = [
        "| | " + " | ".join(f"{one.companies:,} companies" for one in plans) + " |",
        "| --- |" + " ---: |" * len(plans),
    ]
    for title, name, how in _ROWS:
        lines.append(f"| {title} | " + " | ".join(_told(getattr(one, name), how) for one in plans) + " |")
    lines += ["", "| wall | companies | what ends there | what moves it |", "| --- | ---: | --- | --- |"]
    for wall in walls:
        ends = "none" if wall.companies == inf else f"{wall.companies:,.0f}"
        lines.append(f"| {wall.name} | {ends} | {wall.counted} | {wall.moved_by} |")
    return "\n".join(lines) + "\n"


def _told(value: float, how: str) -> str:
    return f"{value / 1_000_000:,.0f}" if how == "millions" else format(value, how)
