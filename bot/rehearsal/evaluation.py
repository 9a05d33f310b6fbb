"""Scenarios played on the stage, each several times, and what they came to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from bot.company_file import CompanyFile
from bot.rehearsal.clients import Line, SimulatedClient
from bot.rehearsal.faults import Fault, FaultKind
from bot.rehearsal.scenario import Scenario
from bot.rehearsal.stage import Scene, Spent, Stage
from bot.rehearsal.verdict import faults_of, pass_hat, standing
from sandbox.business import Business

AT_ONCE = 4
_STRANGER, _STRANGERS_PHONE = "Ольга Чужая", "+79990009988"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One conversation. No faults: it passed."""

    faults: Sequence[Fault]
    lines: Sequence[Line]
    turns: Sequence[Spent]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A scenario and its runs."""

    scenario: Scenario
    runs: Sequence[Run]

    @property
    def passed(self) -> int:
        return sum(not run.faults for run in self.runs)

    def pass_hat(self, k: int) -> float:
        return pass_hat(self.passed, len(self.runs), k)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """`simulated`: a script played the agent's model: it proves tools and guards, not judgement."""

    company: str
    model: str
    simulated: bool
    results: Sequence[Result]

    @property
    def runs(self) -> int:
        return len(self.results[0].runs) if self.results else 0

    def pass_hat(self, k: int) -> float:
        """Return the mean over the scenarios."""
        return fmean(result.pass_hat(k) for result in self.results) if self.results else 0.0

    @property
    def seconds(self) -> float:
        """Return how long a conversation took, on average."""
        runs = [run for result in self.results for run in result.runs]
        return fmean(run.seconds for run in runs) if runs else 0.0

    @property
    def spent(self) -> Spent:
        """What all runs took together."""
        turns = [turn for result in self.results for run in result.runs for turn in run.turns]
        return Spent(
            outcome="",
            calls=sum(turn.calls for turn in turns),
            prompt_tokens=sum(turn.prompt_tokens for turn in turns),
            output_tokens=sum(turn.output_tokens for turn in turns),
            tool_calls=sum(turn.tool_calls for turn in turns),
            cost=sum(turn.cost for turn in turns),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A company as it is put on the stage."""

    file: CompanyFile
    business: Business


async def evaluate(
    stage: Stage, cast: Cast, scenarios: Sequence[Scenario], client: SimulatedClient, *, runs: int
) -> Sequence[Result]:
    """Play every scenario `runs` times, a few side by side."""
    places = asyncio.Semaphore(AT_ONCE)

    async def once(scenario: Scenario) -> Run:
        async with places:
            return await play(stage, cast, scenario, client)

    async with asyncio.TaskGroup() as group:
        tasks = {scenario.slug: [group.create_task(once(scenario)) for _ in range(runs)] for scenario in scenarios}
    return [Result(scenario=scenario, runs=[task.result() for task in tasks[scenario.slug]]) for scenario in scenarios]


async def play(stage: Stage, cast: Cast, scenario: Scenario, client: SimulatedClient) -> Run:
    """Hold one conversation on a fresh scene, and judge it."""
    scene = await stage.set_scene(cast.file, cast.business)
    _prepare(scene, cast.business, scenario)
    phone = "".join(filter(str.isdigit, scenario.client.phone))
    others = [visit for visit in standing(scene.crm) if "".join(filter(str.isdigit, visit.phone)) != phone]
    actor = scene.client(scenario.client.name, language=scenario.client.language)
    started = time.monotonic()
    try:
        transcript = await client.play(scenario, actor)
    except TimeoutError:
        return Run(faults=[Fault(FaultKind.NO_ANSWER)], lines=(), turns=await scene.list_turns(), seconds=0.0)
    seconds = time.monotonic() - started
    faults = faults_of(scenario, crm=scene.crm, others=others, called=await scene.list_handovers(), told=actor.told)
    return Run(
        faults=[*transcript.faults, *faults],
        lines=transcript.lines,
        turns=await scene.list_turns(),
        seconds=seconds,
    )


def _prepare(scene: Scene, business: Business, scenario: Scenario) -> None:
    """Write into the CRM what stands before the client comes."""
    for one in scenario.before:
        if one.busy is not None:
            _fill_day(scene, business, one.busy.master, datetime.combine(one.busy.day, datetime.min.time()))
        elif one.service and one.at:
            name, phone = (scenario.client.name, scenario.client.phone) if one.mine else (_STRANGER, _STRANGERS_PHONE)
            master = one.master or _first_master(business, one.service)
            scene.crm.book_by_hand(master=master, service=one.service, starts=one.at, client=name, phone=phone)


def _fill_day(scene: Scene, business: Business, master: str, day: datetime) -> None:
    opening = business.hours.get(day.weekday())
    service = next((one for one in business.services if master in one.masters), None)
    if opening is None or service is None:
        return
    at = datetime.combine(day.date(), opening[0])
    while at < datetime.combine(day.date(), opening[1]):
        scene.crm.book_by_hand(
            master=master, service=service.title, starts=at, client=_STRANGER, phone=_STRANGERS_PHONE
        )
        at += timedelta(minutes=service.minutes)


def _first_master(business: Business, title: str) -> str:
    return next(one for one in business.services if one.title == title).masters[0]
