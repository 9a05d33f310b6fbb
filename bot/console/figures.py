"""The company's figures: sums of the chosen days, and small plots over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from markupsafe import Markup

from bot.console.drawing import Series, bars, lines
from bot.console.rights import Page
from bot.console.screens import page
from bot.console.visitor import Visitor, visitor_of
from db.figures import Figures, together
from db.stats import read_days
from orchestration.staff_rules import Right

if TYPE_CHECKING:
    from bot.app import Core

SPANS = (7, 30, 90)
_MICROUSD = 1_000_000


class FiguresPages:
    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/figures", self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        visitor = visitor_of(request).opens(Page.FIGURES)
        asked = request.query.get("days", "")
        span = next((one for one in SPANS if str(one) == asked), SPANS[0])
        now = self._core.clock()
        since = visitor.today(now) - timedelta(days=span - 1)
        async with self._core.database.reading(visitor.company_id) as tx:
            days = await read_days(tx, zone=visitor.zone.key, since=since, now=now)
        return page(
            request,
            "figures.html",
            title=visitor.texts.text("console-figures"),
            span=span,
            spans=SPANS,
            sums=_sums(visitor, together(days.values())),
            plots=_plots(visitor, days),
        )


def _sums(visitor: Visitor, total: Figures) -> list[Mapping[str, str]]:
    text = visitor.texts.text
    told: list[tuple[str, str]] = [
        ("messages", str(total.messages)),
        ("dialogues", str(total.dialogues)),
        ("booked", str(total.booked)),
        ("moved", str(total.moved)),
        ("cancelled", str(total.cancelled)),
        ("handed", f"{total.handed} ({_percent(total.handed_share)})"),
        ("answer-half", _seconds(visitor, total.answered_within(0.5))),
        ("answer-most", _seconds(visitor, total.answered_within(0.95))),
        ("writes", _percent(total.write_success)),
    ]
    if total.drafts:
        told += [
            ("drafts", str(total.drafts.total())),
            ("drafts-unchanged", f"{total.drafts['sent']} ({_percent(total.drafts_unchanged)})"),
            ("drafts-edited", str(total.drafts["edited"])),
            ("drafts-dropped", str(total.drafts["dropped"])),
        ]
    if visitor.may(Right.SETTINGS):
        told.append(("cost", f"{total.cost_microusd / _MICROUSD:.2f} $"))
    return [{"name": text(f"console-figure-{name}"), "value": value} for name, value in told]


def _plots(visitor: Visitor, daily: Mapping[date, Figures]) -> list[Mapping[str, Any]]:
    text, names = visitor.texts.text, [visitor.texts.tiny_day(day) for day in daily]
    figures = list(daily.values())

    def series(key: str, tone: str, of: Callable[[Figures], float | None]) -> Series:
        return Series(name=text(f"console-figure-{key}"), tone=tone, values=[of(one) for one in figures])

    def drawn(key: str, draw: Callable[..., Markup], several: Sequence[Series], **more: Any) -> Mapping[str, Any]:
        title = text(f"console-plot-{key}")
        return {"title": title, "picture": draw(names, several, label=title, **more), "series": several}

    plots = [
        drawn(
            "messages",
            bars,
            [series("messages", "blue", lambda one: one.messages)],
        ),
        drawn(
            "bookings",
            bars,
            [
                series("booked", "green", lambda one: one.booked),
                series("moved", "blue", lambda one: one.moved),
                series("cancelled", "grey", lambda one: one.cancelled),
            ],
        ),
        drawn(
            "answers",
            lines,
            [
                series("answer-half", "blue", lambda one: _within(one, 0.5)),
                series("answer-most", "red", lambda one: _within(one, 0.95)),
            ],
        ),
        drawn(
            "handed",
            lines,
            [series("handed", "amber", lambda one: _hundred(one.handed_share))],
            top=100,
            say=lambda value: f"{value:.0f}%",
        ),
    ]
    if any(one.drafts for one in figures):
        outcomes = [
            series("drafts-unchanged", "green", lambda one: one.drafts["sent"]),
            series("drafts-edited", "amber", lambda one: one.drafts["edited"]),
            series("drafts-dropped", "grey", lambda one: one.drafts["dropped"]),
        ]
        plots.append(drawn("drafts", bars, outcomes))
    if visitor.may(Right.SETTINGS):
        cost = [series("cost", "violet", lambda one: one.cost_microusd / _MICROUSD)]
        plots.append(drawn("cost", bars, cost, say=lambda value: f"{value:.2f}"))
    return plots


def _within(figures: Figures, share: float) -> float | None:
    within = figures.answered_within(share)
    return None if within is None else within.total_seconds()


def _hundred(share: float | None) -> float | None:
    return None if share is None else share * 100


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.0f}%"


def _seconds(visitor: Visitor, within: timedelta | None) -> str:
    if within is None:
        return "—"
    return visitor.texts.text("console-seconds", count=f"{within.total_seconds():.1f}")
