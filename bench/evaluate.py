"""`python -m bench.evaluate [FOLDER]`: the project's own scenarios on its example companies, by the scripted model."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from bot.app import Core, open_core
from bot.company_file import parse_company_file
from bot.logs import set_up_logs
from bot.rehearsal.clients import ScriptedClient
from bot.rehearsal.evaluation import Cast, Evaluation, Result, evaluate
from bot.rehearsal.report import lines_of
from bot.rehearsal.scenario import NOW, Scenario, load_scenarios
from bot.rehearsal.stage import Stage
from bot.sdks import load_sdks
from bot.settings import PREFIX, LogFormat, Mode, Settings
from sandbox.business import Business
from sandbox.gemini.server import GeminiSandbox
from sandbox.seeds import autoservice_business, clinic_business, elita_business
from sandbox.yclients.staff_side import YclientsSalon

SCENARIOS = Path(__file__).parent / "scenarios"
_EXAMPLES = Path(__file__).parents[1] / "examples"
CASTS: dict[str, tuple[str, Callable[[], Business]]] = {
    "salon": ("elita.yaml", elita_business),
    "clinic": ("clinic.yaml", clinic_business),
    "autoservice": ("autoservice.yaml", autoservice_business),
}


async def evaluate_examples(core: Core, scenarios: Sequence[Scenario], *, runs: int = 1) -> Evaluation:
    """Play scenarios of the example companies over the stores of `core`, whose clock must stand at NOW."""
    gemini = GeminiSandbox(clock=lambda: NOW)
    await gemini.start()
    try:
        update = {"gemini_api_url": gemini.url, "gemini_api_key": SecretStr("sandbox"), "quiet_seconds": 0.0}
        core = replace(core, settings=core.settings.model_copy(update=update))
        results: list[Result] = []
        async with Stage.open(core, make_crm=local_yclients) as stage:
            for name, (file, business) in CASTS.items():
                mine = [one for one in scenarios if one.business == name]
                cast = Cast(
                    file=parse_company_file((_EXAMPLES / file).read_text(encoding="utf-8")), business=business()
                )
                results += await evaluate(stage, cast, mine, ScriptedClient(), runs=runs)
        return Evaluation(company="examples", model="scripted", simulated=True, results=results)
    finally:
        await gemini.stop()


def local_yclients(business: Business) -> YclientsSalon:
    return YclientsSalon(business, clock=lambda: NOW, per_second=10_000, per_minute=100_000)


def main() -> int:
    """Run and print; the exit code is 0 where every scenario passed."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate")
    parser.add_argument("folder", nargs="?", type=Path, default=SCENARIOS)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    set_up_logs(LogFormat.CONSOLE, level=logging.CRITICAL)
    evaluation = asyncio.run(_run(options.folder, options.only, options.runs))
    print("\n".join(lines_of(evaluation)))
    return 0 if evaluation.pass_hat(1) == 1.0 else 1


async def _run(folder: Path, only: str, runs: int) -> Evaluation:
    await load_sdks()
    scenarios = [one for one in load_scenarios(folder) if only in one.slug]
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(_env_file=None, mode=Mode.DEVELOPMENT, data_dir=Path(place), port=0)
        async with open_core(settings, clock=lambda: NOW, pool_size=20) as core:
            return await evaluate_examples(core, scenarios, runs=runs)


if __name__ == "__main__":
    raise SystemExit(main())
