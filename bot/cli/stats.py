"""What the agent did for a company, or for all of them, in figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.app import Core
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import with_core
from bot.figures import read_figures
from db.figures import Figures, by_day, together
from db.records import Company

_LONGEST = 366
_SPAN = re.compile(r"(\d{1,4})([dw])")


class By(StrEnum):
    DAY = "day"
    COMPANY = "company"


def register(app: typer.Typer) -> None:
    app.command()(stats)


def stats(
    company: Annotated[
        str | None, typer.Argument(metavar="[COMPANY]", help="Slug or id; without it, every company.")
    ] = None,
    since: Annotated[str, typer.Option(metavar="SPAN", help="7d, 4w, or a date: 2026-11-24. Today counts.")] = "7d",
    by: Annotated[
        By | None, typer.Option(help="A row a day or a company; without it, a day for one company, else a company.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the days too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count messages, bookings, answer times, tools, the CRM, the cost, calls, ratings and drafts, by day or company.

    Days are those of each company's own time zone. docs/statistics.md says what each figure counts.
    """
    days, first = _span(since)
    by = by or (By.COMPANY if company is None else By.DAY)

    async def read(core: Core) -> tuple[dict[str, Figures], dict[date, Figures], str]:
        today = core.clock().date()
        if first is not None and not today - timedelta(days=_LONGEST) <= first <= today:
            fail(f"--since {first}: at most {_LONGEST} days ago, and not after today")
        companies = await _companies(core, company)
        found = await read_figures(core, companies, days=days, since=first)
        daily = by_day(found)
        title = companies[0].name if company is not None else f"{len(companies)} companies"
        if by is By.DAY:
            return {str(day): figures for day, figures in daily.items()}, daily, title
        each = {one.slug: together(days.values()) for one, days in zip(companies, found, strict=True)}
        return each, daily, title

    rows, daily, title = with_core(read)
    if as_json:
        show([{by.value: name, **as_record(figures)} for name, figures in rows.items()], as_json=True)
    else:
        told = {**rows, "together": together(rows.values())} if len(rows) > 1 else rows
        show([{by.value: name, **as_row(figures)} for name, figures in told.items()], as_json=False)
        for line in _why(together(rows.values())):
            say(line)
    if plot is not None:
        _draw(daily, title, plot)


def as_record(figures: Figures) -> dict[str, Any]:
    """Return everything that is known, for a script. Times in seconds, shares from 0 to 1, cost in US dollars."""
    p50, p95 = figures.answered_within(0.5), figures.answered_within(0.95)
    return {
        "messages": figures.messages,
        "turns": figures.turns,
        "dialogues": figures.dialogues,
        "handed": figures.handed,
        "handed_share": _rounded(figures.handed_share),
        "handed_reasons": dict(figures.reasons),
        "booked": figures.booked,
        "moved": figures.moved,
        "cancelled": figures.cancelled,
        "answers": figures.answers.total(),
        "answer_p50_s": _seconds(p50),
        "answer_p95_s": _seconds(p95),
        "tool_calls": figures.tools.total(),
        "tool_success": _rounded(figures.tool_success),
        "tools": _nested(figures.tools),
        "crm_writes": figures.writes.total(),
        "crm_success": _rounded(figures.write_success),
        "crm_outcomes": dict(figures.writes),
        "prompt_tokens": figures.prompt_tokens,
        "output_tokens": figures.output_tokens,
        "cached_tokens": figures.cached_tokens,
        "cost_usd": round(figures.cost_microusd / 1_000_000, 4),
        "calls": figures.calls.total(),
        "call_mean_s": _seconds(figures.mean_call),
        "call_outcomes": dict(figures.calls),
        "rated": figures.ratings.total(),
        "rating_mean": _rounded(figures.mean_rating),
        "ratings_low": figures.low_ratings,
        "ratings": dict(figures.ratings),
        "waiting_joined": figures.waiting["joined"],
        "waiting_offered": figures.times_offered,
        "waiting_booked": figures.waiting["offer/booked"],
        "waiting": dict(figures.waiting),
        "drafts": figures.drafts.total(),
        "drafts_unchanged": _rounded(figures.drafts_unchanged),
        "drafts_outcomes": dict(figures.drafts),
    }


def as_row(figures: Figures) -> dict[str, Any]:
    """Return the figures as a person reads them in one line."""
    p50, p95 = figures.answered_within(0.5), figures.answered_within(0.95)
    length = figures.mean_call
    return {
        "messages": figures.messages,
        "dialogues": figures.dialogues,
        "booked": figures.booked,
        "moved": figures.moved,
        "cancelled": figures.cancelled,
        "to people": _of(figures.handed, figures.handed_share),
        "p50": f"{p50.total_seconds():.1f} s" if p50 else None,
        "p95": f"{p95.total_seconds():.1f} s" if p95 else None,
        "tools ok": _of(figures.tools.total(), figures.tool_success),
        "CRM ok": _of(figures.writes.total(), figures.write_success),
        "tokens in/cached/out": "/".join(
            _short(one) for one in (figures.prompt_tokens, figures.cached_tokens, figures.output_tokens)
        ),
        "cost": f"${figures.cost_microusd / 1_000_000:.2f}",
        "calls": f"{figures.calls.total()}, {_clock(length)}" if length is not None else "0",
        "rating": _stars(figures),
        "waiting list": f"{figures.times_offered} offered, {figures.waiting['offer/booked']} booked"
        if figures.waiting
        else "0",
        "drafts": _drafts(figures),
    }


def _why(total: Figures) -> list[str]:
    """Say what stands behind the shares."""
    named = {
        "to people": total.reasons,
        "CRM": total.writes,
        "tools that failed": total.failed_tools,
        "calls": total.calls,
        "stars": total.ratings,
        "waiting list": total.waiting,
        "drafts": total.drafts,
    }
    return [
        f"{what}: " + ", ".join(f"{name} {count}" for name, count in sorted(tally.items(), key=lambda one: -one[1]))
        for what, tally in named.items()
        if tally
    ]


async def _companies(core: Core, company: str | None) -> list[Company]:
    if company is not None:
        return [(await core.companies.get_snapshot(await core.companies.get_company_id(company))).company]
    return list(await core.companies.list_companies())


def _span(text: str) -> tuple[int | None, date | None]:
    """Read `7d`, `4w` or a date."""
    found = _SPAN.fullmatch(text)
    if found:
        days = int(found[1]) * (7 if found[2] == "w" else 1)
        if 0 < days <= _LONGEST:
            return days, None
        raise typer.BadParameter(f"{text!r}: from 1 to {_LONGEST} days", param_hint="--since")
    try:
        return None, date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither 7d, 4w nor a date", param_hint="--since") from error


def _draw(daily: Mapping[date, Figures], title: str, path: Path) -> None:
    if not daily:
        fail("there is no company: nothing to draw")
    from bot.plots import PlotsMissing, draw

    try:
        draw(daily, title=title, path=path)
    except PlotsMissing as error:
        fail(str(error))
    except OSError as error:
        fail(f"{path} could not be written: {error.strerror}")
    typer.echo(f"{path} is written", err=True)


def _stars(figures: Figures) -> str:
    mean = figures.mean_rating
    return f"{mean:.1f} of {figures.ratings.total()}, {figures.low_ratings} low" if mean is not None else "0"


def _drafts(figures: Figures) -> str:
    unchanged = figures.drafts_unchanged
    return str(figures.drafts.total()) + (f", {unchanged:.0%} sent unchanged" if unchanged is not None else "")


def _nested(tally: Mapping[str, int]) -> dict[str, dict[str, int]]:
    tools: dict[str, dict[str, int]] = {}
    for key, count in sorted(tally.items()):
        name, _, outcome = key.partition("/")
        tools.setdefault(name, {})[outcome] = count
    return tools


def _of(count: int, share: float | None) -> str:
    return f"{count} ({share:.0%})" if share is not None else "0"


def _rounded(share: float | None) -> float | None:
    return round(share, 4) if share is not None else None


def _seconds(length: timedelta | None) -> float | None:
    return round(length.total_seconds(), 3) if length is not None else None


def _clock(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes}:{seconds:02}"


def _short(number: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return str(number)
