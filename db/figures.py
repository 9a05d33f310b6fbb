"""What is counted of a company's day, and how days and companies are put together. Pure data.

Answer times are kept as how many fell into each of many narrow ranges, so that a percentile of a week, or of all
companies, is made of theirs: percentiles themselves cannot be added up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta

from db.outreach_records import FEW_STARS

STEP = 1.05
"""Each range of answer times is 5% wider than the one before: what is told of one is off by 2.5% at most."""
WRITTEN = "done"
GOOD_TOOL_OUTCOMES = frozenset({"ok", "link_given"})
"""What a tool's call came to where nothing was refused and nothing failed."""

UNCHANGED_DRAFT = "sent"
DECIDED_DRAFTS = (UNCHANGED_DRAFT, "edited", "dropped")
"""What staff made of a draft; the others still wait, or their client wrote on first."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """The figures of a day, or of several. docs/statistics.md says what each of them counts."""

    turns: int = 0
    messages: int = 0
    dialogues: int = 0
    handed: int = 0
    """Dialogues that a person was asked to look at."""
    booked: int = 0
    moved: int = 0
    cancelled: int = 0
    call_seconds: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_microusd: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """How many answers by range of time: the exponent of STEP, in milliseconds."""
    reasons: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    """By `tool/outcome`."""
    writes: Counter[str] = field(default_factory=Counter)
    """Calls of a CRM that were to change something: done, unknown, or `refused/why`."""
    calls: Counter[str] = field(default_factory=Counter)
    ratings: Counter[str] = field(default_factory=Counter)
    """Of visits, by how many stars."""
    waiting: Counter[str] = field(default_factory=Counter)
    """Of waiting lists: clients who joined, and times that were offered by what became of each."""
    drafts: Counter[str] = field(default_factory=Counter)
    """What the agent wrote for staff to send, by what became of it (db/drafts.py)."""

    def add(self, other: Figures) -> None:
        """Put another day's, or another company's, to these."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, one.name, mine + theirs)

    def answered_within(self, share: float) -> timedelta | None:
        """Return the time within which this share of the answers came (0.95: p95); None where there were none."""
        rank = math.ceil(share * self.answers.total())
        for key in sorted(self.answers, key=int):
            rank -= self.answers[key]
            if rank <= 0:
                return timedelta(milliseconds=STEP ** (int(key) + 0.5))
        return None

    @property
    def mean_rating(self) -> float | None:
        rated = self.ratings.total()
        return sum(int(stars) * count for stars, count in self.ratings.items()) / rated if rated else None

    @property
    def low_ratings(self) -> int:
        """Return how many visits got so few stars that staff were told."""
        return sum(count for stars, count in self.ratings.items() if int(stars) <= FEW_STARS)

    @property
    def times_offered(self) -> int:
        return sum(count for event, count in self.waiting.items() if event.startswith("offer/"))

    @property
    def drafts_unchanged(self) -> float | None:
        """Return how many of the drafts that staff decided on went out as they were; None where there were none."""
        decided = sum(self.drafts[one] for one in DECIDED_DRAFTS)
        return _share(self.drafts[UNCHANGED_DRAFT], decided)

    @property
    def handed_share(self) -> float | None:
        return _share(self.handed, self.dialogues)

    @property
    def failed_tools(self) -> Counter[str]:
        """Return the tools' calls that were refused or failed, by `tool/outcome`."""
        bad = {key: count for key, count in self.tools.items() if key.partition("/")[2] not in GOOD_TOOL_OUTCOMES}
        return Counter(bad)

    @property
    def tool_success(self) -> float | None:
        return _share(self.tools.total() - self.failed_tools.total(), self.tools.total())

    @property
    def write_success(self) -> float | None:
        return _share(self.writes[WRITTEN], self.writes.total())

    @property
    def mean_call(self) -> timedelta | None:
        """Return how long a call took; None where there was none that has ended."""
        ended = self.calls.total()
        return timedelta(seconds=self.call_seconds / ended) if ended else None


def together(several: Iterable[Figures]) -> Figures:
    """Return the sum. A dialogue that went on over two days is two of them."""
    total = Figures()
    for one in several:
        total.add(one)
    return total


def by_day(companies: Iterable[Mapping[date, Figures]]) -> dict[date, Figures]:
    """Return the companies' days put together, each company's day by its own clock."""
    days: dict[date, Figures] = {}
    for company in companies:
        for day, figures in company.items():
            days.setdefault(day, Figures()).add(figures)
    return dict(sorted(days.items()))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
