"""Figures by company: few enough that ten thousand companies stay affordable, and gone once a company is silent.

Histograms by company would be thirteen series each; here a company has a count, a sum and a count of what was slow.
A test bounds how many series that makes in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db.records import ChannelType, Company, CompanyId, Usage

SLOW = timedelta(seconds=5)
_SLOW_S = SLOW.total_seconds()
SILENT_AFTER = timedelta(days=1)
MOST_COMPANIES = 20_000
_USD = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Figure:
    name: str
    help: str
    label: str | None = None
    gauge: bool = False


MESSAGES = _Figure("messages", "Messages of clients that turns were made of.", "channel")
ACCEPTS = _Figure("accepts", "Webhooks of a company's channels that were stored.")
ACCEPT_SECONDS = _Figure("accept_seconds", "From their first byte to their commit, in all.")
SLOW_ACCEPTS = _Figure("slow_accepts", "Of them, those that took over 5 s.")
REFUSED = _Figure("refused_updates", "Webhooks whose signature or secret did not fit.")
TURNS = _Figure("turns", "Turns that were committed.")
TURN_SECONDS = _Figure("turn_seconds", "From their claim to their commit, in all.")
SLOW_TURNS = _Figure("slow_turns", "Of them, those that took over 5 s.")
CRM_CALLS = _Figure("crm_calls", "Operations asked of the company's CRM; failed: it did not do its work.", "outcome")
REPLIES = _Figure("replies", "Replies that the messenger took, or that were given up.", "outcome")
HANDOVERS = _Figure("handovers", "Dialogues marked for a person.")
TOKENS = _Figure("model_tokens", "Tokens of the language model; cached: those of in.", "direction")
COST = _Figure("model_cost_usd", "US dollars by the price table.")
BUDGET = _Figure("budget_share", "The month's cost of the model, as a share of the company's hard limit.", gauge=True)
FIGURES = (
    MESSAGES, ACCEPTS, ACCEPT_SECONDS, SLOW_ACCEPTS, REFUSED, TURNS, TURN_SECONDS, SLOW_TURNS, CRM_CALLS, REPLIES,
    HANDOVERS, TOKENS, COST, BUDGET,
)  # fmt: skip


@dataclass(slots=True)
class _Counts:
    heard_at: float
    slug: str | None = None
    values: dict[tuple[_Figure, str], float] = field(default_factory=dict)

    def add(self, figure: _Figure, amount: float = 1, label: str = "") -> None:
        place = (figure, label)
        self.values[place] = self.values.get(place, 0) + amount

    def took(self, count: _Figure, seconds: _Figure, slow: _Figure, took_s: float) -> None:
        self.add(count)
        self.add(seconds, took_s)
        self.add(slow, 1 if took_s > _SLOW_S else 0)


class CompanyFigures(Collector):
    """What one process counted of each company that it heard of within a day.

    `now`: seconds of a clock that never goes back. A company shows once its slug is known.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, *, most: int = MOST_COMPANIES) -> None:
        self._now = now
        self._most = most
        self._companies: dict[CompanyId, _Counts] = {}

    def named(self, company: Company) -> None:
        """Hear what the company is called."""
        self._of(company.id).slug = company.slug

    def accepted(self, company: Company, took_s: float) -> None:
        """Count a webhook whose updates were stored."""
        # Every webhook comes by here: its company is looked up once.
        counts = self._of(company.id)
        counts.slug = company.slug
        counts.took(ACCEPTS, ACCEPT_SECONDS, SLOW_ACCEPTS, took_s)

    def refused(self, company: Company) -> None:
        """Count a webhook that is not the messenger's."""
        self.named(company)
        self._add(company.id, REFUSED)

    def turn(self, company: Company, channel: ChannelType, messages: int, took_s: float) -> None:
        """Count a committed turn."""
        self.named(company)
        self._add(company.id, MESSAGES, messages, channel.value)
        self._of(company.id).took(TURNS, TURN_SECONDS, SLOW_TURNS, took_s)

    def spent(self, company: Company, usage: Usage, cost: int) -> None:
        """Count what a turn took of the model. `cost`: millionths of a US dollar."""
        self.named(company)
        for direction, tokens in (
            ("in", usage.prompt_tokens), ("out", usage.output_tokens), ("cached", usage.cached_tokens),
        ):  # fmt: skip
            self._add(company.id, TOKENS, tokens, direction)
        self._add(company.id, COST, cost / _USD)

    def budget(self, company: Company, share: float) -> None:
        """Show how much of its month's limit the company has used."""
        self._of(company.id).values[(BUDGET, "")] = share

    def crm_call(self, company_id: CompanyId, *, failed: bool) -> None:
        """Count an operation of the company's CRM."""
        self._add(company_id, CRM_CALLS, 1, "failed" if failed else "ok")

    def reply(self, company_id: CompanyId, outcome: str, replies: int = 1) -> None:
        """Count replies that left (`sent`), or never will (`failed`)."""
        self._add(company_id, REPLIES, replies, outcome)

    def handover(self, company: Company) -> None:
        """Count a dialogue that a person is to look at."""
        self._add(company.id, HANDOVERS)

    def collect(self) -> Iterable[Metric]:
        """Tell all of it; companies silent for a day are forgotten on the way."""
        silent_since = self._now() - SILENT_AFTER.total_seconds()
        # Copies: the exposition is written in a thread of its own while the loop counts on.
        for key, counts in self._companies.copy().items():
            if counts.heard_at < silent_since:
                self._companies.pop(key, None)
        # Of two that had one slug after each other the later: two values of one series would be a fault of the reading.
        in_order = sorted(self._companies.copy().values(), key=lambda one: one.heard_at)
        told = {one.slug: one.values.copy() for one in in_order if one.slug is not None}
        for figure in FIGURES:
            labels = ["company", *([figure.label] if figure.label else [])]
            kind = GaugeMetricFamily if figure.gauge else CounterMetricFamily
            family = kind(f"ai_admin_company_{figure.name}", figure.help, labels=labels)
            for slug, values in told.items():
                for (of, label), value in values.items():
                    if of is figure:
                        family.add_metric([slug, label] if figure.label else [slug], value)
            yield family

    def _add(self, company_id: CompanyId, figure: _Figure, amount: float = 1, label: str = "") -> None:
        self._of(company_id).add(figure, amount, label)

    def _of(self, company_id: CompanyId) -> _Counts:
        counts = self._companies.get(company_id)
        if counts is None:
            if len(self._companies) >= self._most:
                self._companies.pop(min(self._companies, key=lambda one: self._companies[one].heard_at))
            counts = self._companies[company_id] = _Counts(self._now())
        counts.heard_at = self._now()
        return counts


COMPANY_FIGURES = CompanyFigures()
REGISTRY.register(COMPANY_FIGURES)
