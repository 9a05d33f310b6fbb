"""`ai-admin eval`: a company of the installation, copied onto a stage of its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from bot.app import Core, open_core
from bot.companies import file_of
from bot.rehearsal.clients import PlayedClient, ScriptedClient, SimulatedClient
from bot.rehearsal.copy import copy_business
from bot.rehearsal.evaluation import Cast, Evaluation, evaluate
from bot.rehearsal.scenario import NOW, load_scenarios
from bot.rehearsal.stage import Stage
from bot.scopes import open_crm
from bot.settings import Mode, Settings
from bot.worker_app import open_model
from crm.errors import CRMNotConfigured
from db.records import AgentSettings
from locales import Translator
from orchestration.scope import CompanyScope
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.business import Business
from sandbox.dikidi.server import DikidiServer
from sandbox.gemini.server import GeminiSandbox
from sandbox.one_c.service.server import OneCServiceSalon
from sandbox.staff_side import CRMSandbox
from sandbox.yclients.staff_side import YclientsSalon

GENERAL = Path(__file__).with_name("scenarios")
"""Scenarios that fit any company: its own services and masters are put into them."""


async def evaluate_company(
    core: Core,
    company: str,
    *,
    folder: Path | None,
    runs: int,
    agent: AgentSettings | None = None,
) -> Evaluation:
    """Play scenarios with a company's agent. `folder` None: the general ones. `agent`: settings to try instead.

    Raises NotFound, ScenarioError, NothingToCopy, CRMError.
    """
    company_id = await core.companies.get_company_id(company)
    async with open_crm(core) as scopes:
        scope = await scopes.open(company_id)
        anyone = Translator.for_language(scope.agent.language).text("report-anyone")
        try:
            business = await copy_business(scope, anyone=anyone)
        except CRMNotConfigured:
            # Not connected yet: what the company's file says is tried out.
            scope = replace(scope, snapshot=replace(scope.snapshot, crm=None))
            business = await copy_business(scope, anyone=anyone)
    file = file_of(scope.snapshot)
    cast = Cast(file=replace(file, agent=agent or file.agent), business=business)
    scenarios = load_scenarios(folder or GENERAL, names=_names(business))
    async with _own_stage(core.settings, scope) as (stage, client, model):
        results = await evaluate(stage, cast, scenarios, client, runs=runs)
    return Evaluation(company=scope.company.name, model=model, simulated=model == _SCRIPTED, results=results)


_SCRIPTED = "scripted (a small set of rules, not an AI model)"


@asynccontextmanager
async def _own_stage(settings: Settings, scope: CompanyScope) -> AsyncIterator[tuple[Stage, SimulatedClient, str]]:
    """Open a stage on servers of its own, so that nothing of it comes near the installation's data."""
    crm_type = scope.snapshot.crm.type if scope.snapshot.crm else "yclients"
    with tempfile.TemporaryDirectory(prefix="ai-admin-stage-") as place:
        own = settings.model_copy(
            update={
                # A stage is this machine's own: its CRM is a local server.
                "mode": Mode.DEVELOPMENT,
                "data_dir": Path(place),
                "database_url": None,
                "redis_url": None,
                "master_keys": None,
                "quiet_seconds": 0.0,
                "crm_proxies": (),
            }
        )
        async with _models(own) as (played, name), open_core(played, clock=lambda: NOW, pool_size=20) as core:
            model = open_model(core, borrow=False)
            try:
                client: SimulatedClient = ScriptedClient() if name == _SCRIPTED else PlayedClient(model)
                async with Stage.open(
                    core, make_crm=lambda business: _make_crm(crm_type, business), model=model
                ) as stage:
                    yield stage, client, name
            finally:
                await model.close()


@asynccontextmanager
async def _models(settings: Settings) -> AsyncIterator[tuple[Settings, str]]:
    """Take the installation's model; without a key, the script."""
    if settings.has_model:
        yield settings, settings.model_name
        return
    gemini = GeminiSandbox(clock=lambda: NOW)
    await gemini.start()
    try:
        update = {"gemini_api_url": gemini.url, "gemini_api_key": SecretStr("sandbox")}
        yield settings.model_copy(update=update), _SCRIPTED
    finally:
        await gemini.stop()


def _make_crm(crm_type: str, business: Business) -> CRMSandbox:
    """Return the local server that plays the company's kind of CRM; one that only reads is played by YCLIENTS."""
    match crm_type:
        case "bitrix24":
            return Bitrix24Server(business, clock=lambda: NOW)
        case "1c":
            return OneCServiceSalon(business, clock=lambda: NOW)
        case "dikidi":
            return DikidiServer(business, clock=lambda: NOW)
        case _:
            return YclientsSalon(business, clock=lambda: NOW, per_second=10_000, per_minute=100_000)


def _names(business: Business) -> Mapping[str, str]:
    """Return what the general scenarios call {service}, {master} and so on: what the agent may book itself."""
    bookable = [one for one in business.services if one.online and not one.prepaid] or list(business.services)
    first = bookable[0]
    opening = business.hours.get(2, next(iter(business.hours.values())))
    at = max(opening[0].hour + 1, 10)
    return {
        "company": business.title,
        "service": first.title,
        "master": first.masters[0],
        "price": str(first.low),
        "at": f"{at:02}:00",
        "later": f"{at + 2:02}:00",
    }


def lowered(before: Evaluation, after: Evaluation) -> Sequence[str]:
    """Say which scenarios passed more often before, and what went wrong; none where pass^k is not lower."""
    k = after.runs
    if after.pass_hat(k) >= before.pass_hat(k):
        return []
    was = {one.scenario.slug: one.passed for one in before.results}
    return [
        f"{one.scenario.slug}: {one.passed} of {k}, was {was[one.scenario.slug]}"
        + "".join(f"\n  - {fault}" for run in one.runs for fault in run.faults)
        for one in after.results
        if one.passed < was[one.scenario.slug]
    ]
