"""A company's figures by its own days: read from what is kept of finished days, counted from the rows for the others.

Everything is read under the company's own scope, by indexes that begin with it. What each figure counts:
docs/statistics.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.figures import STEP, Figures
from db.figures_models import COUNTS, TALLIES, daily_figures
from db.models import turns
from db.spending import Spending

SETTLED_AFTER = timedelta(hours=6)
"""A finished day is counted again so long after its end: an answer to a message of 23:59 comes on the next day."""
DAYS_AT_ONCE = 31

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DAYS = (
    "unnest(CAST(:days AS date[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) d(day, starts, ends)"
)
_TURNS = f"{_DAYS} JOIN turns t ON t.company_id = :company AND t.at >= d.starts AND t.at < d.ends"
_HANDOVERS = (
    f"{_DAYS} JOIN handovers h ON h.company_id = :company AND h.created_at >= d.starts AND h.created_at < d.ends"
)
_INTENTS = f"{_DAYS} JOIN intents i ON i.company_id = :company AND i.finished_at >= d.starts AND i.finished_at < d.ends"

# A turn of before this was counted answers one message, as far as is known.
_SAID = text(f"SELECT d.day, count(*), sum(coalesce(t.messages, 1)) FROM {_TURNS} GROUP BY d.day")  # noqa: S608
_TALKED = text(
    "SELECT day, count(DISTINCT dialogue_id), count(DISTINCT dialogue_id) FILTER (WHERE handed) FROM ("  # noqa: S608
    f" SELECT d.day, t.dialogue_id, false AS handed FROM {_TURNS}"
    f" UNION ALL SELECT d.day, h.dialogue_id, true FROM {_HANDOVERS}) talked GROUP BY day"
)
_REASONS = text(f"SELECT d.day, h.reason, count(*) FROM {_HANDOVERS} GROUP BY 1, 2")  # noqa: S608
_TOOLS = text(
    f"SELECT d.day, c.name, c.outcome, count(*) FROM {_TURNS}"  # noqa: S608
    " JOIN tool_calls c ON c.company_id = t.company_id AND c.turn_id = t.id GROUP BY 1, 2, 3"
)
# On the telephone an answer is heard while it is written; when it was put down says nothing of that.
_ANSWERS = text(
    f"SELECT d.day, floor(ln(greatest(extract(epoch FROM r.sent_at - t.accepted_at) * 1000, 1)) / ln({STEP}))::int,"  # noqa: S608
    f" count(*) FROM {_TURNS}"
    " JOIN company_channels k ON k.company_id = t.company_id AND k.id = t.channel_id AND k.type <> 'voice'"
    " JOIN LATERAL (SELECT min(sent_at) AS sent_at FROM replies WHERE replies.company_id = t.company_id"
    "  AND replies.turn_id = t.id AND replies.dialogue_id = t.dialogue_id) r ON r.sent_at IS NOT NULL"
    " WHERE t.accepted_at IS NOT NULL GROUP BY 1, 2"
)
# A visit of several records is one booking; one whose every record was taken back, because a later one was refused, is
# none. External ids: orchestration/writes.py.
_BOOKINGS = text(
    "SELECT d.day, i.kind, count(DISTINCT regexp_replace(i.external_id, '-[0-9]+$', ''))"  # noqa: S608
    f" FROM {_INTENTS} WHERE i.status = 'done' AND i.external_id NOT LIKE '%-back'"
    " AND NOT EXISTS (SELECT FROM intents b WHERE b.company_id = i.company_id"
    "  AND b.external_id = i.external_id || '-back' AND b.status = 'done') GROUP BY 1, 2"
)
_WRITES = text(
    f"SELECT d.day, i.status, CASE WHEN i.status = 'refused' THEN i.error END, count(*) FROM {_INTENTS}"  # noqa: S608
    " WHERE i.called_at IS NOT NULL GROUP BY 1, 2, 3"
)
_CALLS = text(
    "SELECT d.day, c.outcome, count(*), sum(extract(epoch FROM c.ended_at - c.started_at))"  # noqa: S608
    f" FROM {_DAYS} JOIN calls c ON c.company_id = :company AND c.started_at >= d.starts AND c.started_at < d.ends"
    " WHERE c.ended_at IS NOT NULL GROUP BY 1, 2"
)
_RATINGS = text(
    "SELECT d.day, r.stars, count(*)"  # noqa: S608
    f" FROM {_DAYS} JOIN ratings r ON r.company_id = :company AND r.rated_at >= d.starts AND r.rated_at < d.ends"
    " GROUP BY 1, 2"
)
_JOINED = text(
    "SELECT d.day, count(*)"  # noqa: S608
    f" FROM {_DAYS} JOIN waiting_list w ON w.company_id = :company AND w.created_at >= d.starts"
    " AND w.created_at < d.ends GROUP BY 1"
)
_OFFERED = text(
    "SELECT d.day, o.outcome, count(*)"  # noqa: S608
    f" FROM {_DAYS} JOIN waiting_offers o ON o.company_id = :company AND o.offered_at >= d.starts"
    " AND o.offered_at < d.ends GROUP BY 1, 2"
)
# Not among what is kept of a day: what becomes of a draft is known later, and a kept day is counted twice at most.
_DRAFTS = text(
    "SELECT d.day, f.status, count(*)"  # noqa: S608
    f" FROM {_DAYS} JOIN drafts f ON f.company_id = :company AND f.made_at >= d.starts AND f.made_at < d.ends"
    " GROUP BY 1, 2"
)
_BOOKING_KINDS = {"create": "booked", "move": "moved", "cancel": "cancelled"}

_KEEP = insert(daily_figures)
_KEEP = _KEEP.on_conflict_do_update(
    index_elements=["company_id", "day"],
    set_={name: _KEEP.excluded[name] for name in ("made_at", *COUNTS, *TALLIES)},
    # Rows may have been deleted since it was counted first: then the first time knew more.
    where=_KEEP.excluded.turns >= daily_figures.c.turns,
)


def begins(day: date, zone: str) -> datetime:
    """Return the moment at which a day begins in a zone."""
    return datetime.combine(day, time(), ZoneInfo(zone))


async def read_days(tx: Transaction, *, zone: str, since: date, now: datetime) -> Mapping[date, Figures]:
    """Return every day from `since` until today in the company's zone, the oldest first.

    Tokens and cost are those of the UTC day of this date: so are they counted against the budget. Drafts are counted
    as they stand now, as far as they are still there.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    wanted = [since + timedelta(days=number) for number in range((today - since).days + 1)]
    kept = await _read_kept(tx, since)
    counted = await count_days(tx, [day for day in wanted if day not in kept], zone=zone)
    found = {day: kept.get(day) or counted[day] for day in wanted}
    for spent in await Spending().list_days(tx, since=since):
        if spent.day in found:
            figures = found[spent.day]
            figures.prompt_tokens = spent.usage.prompt_tokens
            figures.output_tokens = spent.usage.output_tokens
            figures.cached_tokens = spent.usage.cached_tokens
            figures.cost_microusd = spent.cost
    for day, status, number in await tx.connection.execute(_DRAFTS, _window(tx, wanted, zone)):
        found[day].drafts[_code(status)] += number
    return found


async def count_days(tx: Transaction, days: Sequence[date], *, zone: str) -> Mapping[date, Figures]:
    """Count days from the rows themselves, as far as they are still there; without tokens, cost and drafts."""
    found = {day: Figures() for day in days}
    if not days:
        return found
    window = _window(tx, days, zone)
    for day, number, said in await tx.connection.execute(_SAID, window):
        found[day].turns, found[day].messages = number, int(said)
    for day, talked, handed in await tx.connection.execute(_TALKED, window):
        found[day].dialogues, found[day].handed = talked, handed
    for day, reason, number in await tx.connection.execute(_REASONS, window):
        found[day].reasons[_code(reason)] += number
    for day, name, outcome, number in await tx.connection.execute(_TOOLS, window):
        found[day].tools[f"{_code(name)}/{_code(outcome)}"] += number
    for day, step, number in await tx.connection.execute(_ANSWERS, window):
        found[day].answers[str(step)] += number
    for day, kind, number in await tx.connection.execute(_BOOKINGS, window):
        setattr(found[day], _BOOKING_KINDS[kind], number)
    for day, status, why, number in await tx.connection.execute(_WRITES, window):
        found[day].writes[f"{status}/{_code(why)}" if why else status] += number
    for day, outcome, number, seconds in await tx.connection.execute(_CALLS, window):
        found[day].calls[_code(outcome or "unknown")] += number
        found[day].call_seconds += round(seconds)
    for day, stars, number in await tx.connection.execute(_RATINGS, window):
        found[day].ratings[str(stars)] += number
    for day, number in await tx.connection.execute(_JOINED, window):
        found[day].waiting["joined"] += number
    for day, outcome, number in await tx.connection.execute(_OFFERED, window):
        found[day].waiting[f"offer/{_code(outcome)}"] += number
    return found


async def keep_finished_days(tx: Transaction, *, zone: str, now: datetime, most: int = DAYS_AT_ONCE) -> bool:
    """Keep the figures of days that are over, the oldest first; True: there are more than `most`.

    Each day is counted when it is over and once more SETTLED_AFTER later. Doing it again changes nothing.
    """
    table = daily_figures.c
    latest = dict(
        (row.day, row.made_at)
        for row in await tx.connection.execute(
            select(table.day, table.made_at).where(table.company_id == tx.company).order_by(table.day.desc()).limit(3)
        )
    )
    first = max(latest) + timedelta(days=1) if latest else await _first_day(tx, zone)
    if first is None:
        return False
    today = now.astimezone(ZoneInfo(zone)).date()
    fresh = [first + timedelta(days=number) for number in range((today - first).days)]
    unsettled = [day for day, made_at in latest.items() if made_at < _settles(day, zone) <= now]
    counted = await count_days(tx, [*fresh[:most], *unsettled], zone=zone)
    if counted:
        rows = [
            {
                "company_id": tx.company,
                "day": day,
                "made_at": now,
                **{name: getattr(figures, name) for name in COUNTS},
                **{name: dict(getattr(figures, name)) for name in TALLIES},
            }
            for day, figures in counted.items()
        ]
        await tx.connection.execute(_KEEP, rows)
    return len(fresh) > most


def _window(tx: Transaction, days: Sequence[date], zone: str) -> Mapping[str, object]:
    """Return what the statements of days ask for."""
    return {
        "company": tx.company,
        "days": list(days),
        "starts": [begins(day, zone) for day in days],
        "ends": [begins(day + timedelta(days=1), zone) for day in days],
    }


async def _read_kept(tx: Transaction, since: date) -> dict[date, Figures]:
    rows = await tx.connection.execute(
        select(daily_figures).where(daily_figures.c.company_id == tx.company, daily_figures.c.day >= since)
    )
    return {row["day"]: _figures_of(row) for row in rows.mappings()}


def _figures_of(row: RowMapping) -> Figures:
    figures = Figures()
    for name in COUNTS:
        setattr(figures, name, row[name])
    for name in TALLIES:
        setattr(figures, name, Counter(row[name]))
    return figures


async def _first_day(tx: Transaction, zone: str) -> date | None:
    at = await tx.connection.scalar(select(func.min(turns.c.at)).where(turns.c.company_id == tx.company))
    return at.astimezone(ZoneInfo(zone)).date() if at is not None else None


def _settles(day: date, zone: str) -> datetime:
    return begins(day + timedelta(days=1), zone) + SETTLED_AFTER


def _code(word: str) -> str:
    """Return the word where it is one of ours; whatever else stands there is nobody's to see in a sum."""
    return word if _CODE.fullmatch(word) else "other"
