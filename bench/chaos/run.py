"""One run from the first server to the last count. The supervisor: everything that it started, it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.chaos.board import Board
from bench.chaos.evidence import read_stored, read_unrest
from bench.chaos.faults import Weather
from bench.chaos.fleet import Fleet, free_port
from bench.chaos.ground import durable_servers, own_folder, production_settings
from bench.chaos.kills import FREEZE_LEASES, Killer
from bench.chaos.options import Options
from bench.chaos.people import Allowance, Person, make_people, repeat_updates
from bench.chaos.recovery import recoveries
from bench.chaos.report import Report
from bench.chaos.salon import Vendors, make_company, open_vendors
from bench.chaos.verdict import judge
from bot.tasks import end
from sandbox.seeds import ELITA_ID
from sandbox.telegram.state import Bot

_QUIET_LOOKS = 3
_LOOK_EVERY_S = 0.3
_TELL_EVERY = 20
_UNCERTAIN = "reply_may_come_twice"
"""What a delivery logs where it does not know whether the messenger took it, or cannot keep that it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines to the processes that were forked before there was an event loop."""

    nursery: socket.socket
    marksman: socket.socket


async def run(options: Options, board: Board, lines: Lines) -> Report:
    """Do it all. Raises TimeoutError past the run's own limit."""
    started = time.monotonic()
    async with asyncio.timeout(options.most_s), AsyncExitStack() as stack:
        folder = await stack.enter_async_context(own_folder(keep=options.keep))
        embedded = await stack.enter_async_context(durable_servers(folder))
        vendors = await stack.enter_async_context(
            open_vendors(_random(options, "model"), crm_limits=options.crm_limits)
        )
        fleet = Fleet(
            board=board,
            line=lines.nursery,
            embedded=embedded,
            folder=folder,
            lease_s=options.lease_s,
            crm_limits=options.crm_limits,
            gateway_port=free_port(),
        )
        stack.push_async_callback(fleet.stop)
        await make_company(embedded.servers.database_url, production_settings(fleet, vendors), vendors)
        await fleet.start(production_settings(fleet, vendors))
        return await _torture(options, fleet, lines.marksman, vendors, started)


async def _torture(options: Options, fleet: Fleet, marksman: socket.socket, vendors: Vendors, started: float) -> Report:
    allowance = Allowance(messages=options.messages, kills=options.kills, ahead=options.at_once)
    people = _people(options, vendors, allowance)
    weather = Weather(vendors.telegram, vendors.yclients, vendors.gemini, _random(options, "weather"))
    killer = Killer(options, fleet, marksman, _random(options, "kills"))
    places = asyncio.Semaphore(options.at_once)
    living = asyncio.gather(*(_live(person, places) for person in people))
    beside = [
        asyncio.create_task(weather.run()),
        asyncio.create_task(
            repeat_updates(vendors.telegram, vendors.bot.id, _random(options, "repeats"), people[0].done)
        ),
    ]
    try:
        await killer.run(partial(_before_kill, allowance, options.kills))
        await end(*beside)
        weather.clear()
        await fleet.bring_back_servers()
        await living
        unrest = await _settle(options, fleet, vendors)
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        await end(*beside)
    if options.keep:
        _write_chats(fleet.folder / "chats.txt", vendors.bot)
    events = list(_logged(fleet.folder))
    stored = await read_stored(fleet.embedded.servers.database_url)
    return Report(
        options=options,
        verdict=judge(vendors.bot, vendors.yclients.book, stored, [yes for person in people for yes in person.yeses]),
        kills=killer.kills,
        freezes=killer.freezes,
        recoveries=recoveries(fleet.events, killer.kills, killer.freezes, frozen_s=options.lease_s * FREEZE_LEASES),
        deaths=fleet.deaths,
        unrest=unrest,
        said=people[0].done,
        weather=weather.sent,
        crm_calls=len(vendors.yclients.calls),
        bookings=len(vendors.yclients.book.salons[ELITA_ID].records),
        intents=[intent.status for intent in stored.intents],
        outcomes=list(stored.outcomes.values()),
        violations=[*vendors.telegram.violations, *vendors.yclients.violations],
        errors=_errors(events),
        uncertain=dict(Counter(str(one["why"]) for one in events if one["event"] == _UNCERTAIN)),
        seconds=time.monotonic() - started,
    )


async def _before_kill(allowance: Allowance, wanted: int) -> None:
    await allowance.before_kill()
    if allowance.killed % _TELL_EVERY == 0:
        print(f"chaos: {allowance.killed} of {wanted} kills", file=sys.stderr, flush=True)


async def _live(person: Person, places: asyncio.Semaphore) -> None:
    async with places:
        await person.live()


async def _settle(options: Options, fleet: Fleet, vendors: Vendors) -> dict[str, int]:
    """Wait until nothing is under way any more; return what still is when the time is up."""
    deadline = time.monotonic() + options.settle_s
    quiet = 0
    unrest: dict[str, int] = {}
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        unrest = await read_unrest(fleet.embedded.servers.database_url)
        if vendors.bot.updates:
            unrest["webhooks"] = len(vendors.bot.updates)
        quiet = 0 if unrest else quiet + 1
        await asyncio.sleep(_LOOK_EVERY_S)
    return unrest


def _people(options: Options, vendors: Vendors, allowance: Allowance) -> list[Person]:
    zone = ZoneInfo(vendors.yclients.book.salons[ELITA_ID].time_zone)
    return make_people(
        vendors.telegram,
        vendors.bot.id,
        count=options.dialogues,
        messages=options.messages,
        seed=options.seed,
        today=datetime.now(UTC).astimezone(zone).date(),
        allowance=allowance,
        deadline_s=options.deadline_s,
    )


def _write_chats(path: Path, bot: Bot) -> None:
    """Write down what every chat shows, for whoever looks into a run."""
    lines = []
    for user_id, chat in bot.chats.items():
        lines.append(f"== {user_id}")
        for message in chat.messages:
            who = "bot" if message.from_bot else "client"
            lines.append(f"{message.date} {message.message_id} {who}: {message.text or message.contact}")
    path.write_text("\n".join(lines), encoding="utf-8")


def _logged(folder: Path) -> Iterator[dict[str, Any]]:
    for log in sorted(folder.glob("*.log")):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            # What a killed process wrote last may be half a line.
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def _errors(events: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Count the events of level error."""
    found: Counter[str] = Counter()
    for event in events:
        if event.get("level") != "error":
            continue
        reason = str(event.get("error", ""))
        if "exception" in event:
            lines = [line.strip(" |+-") for line in str(event["exception"]).splitlines()]
            reason = [line for line in lines if line][-1][:160]
        found[f"{event['event']}: {reason}".removesuffix(": ")] += 1
    return dict(found)


def _random(options: Options, name: str) -> random.Random:
    """Return a source of its own for each who chooses, so that one's choices do not change another's."""
    return random.Random(f"{options.seed}:{name}")
