"""Scenarios are played on a copy of the company, and judged by what stands in the CRM at the end."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.evaluate import CASTS, SCENARIOS, evaluate_examples
from bot.rehearsal.clients import Line
from bot.rehearsal.company import evaluate_company, lowered
from bot.rehearsal.evaluation import Evaluation, Result, Run
from bot.rehearsal.faults import Fault, FaultKind
from bot.rehearsal.page import page_of
from bot.rehearsal.scenario import NOW, Scenario, ScenarioError, load_scenarios
from bot.rehearsal.verdict import pass_hat
from db.catalogue import Booking

ROOT = Path(__file__).parents[2]
ALL = load_scenarios(SCENARIOS)
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
MUST_RUN = os.environ.get("AI_ADMIN_PAGE_TEST") == "required"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def still(core, clock):
    """The stores at the scenarios' moment."""
    clock.now = NOW
    return replace(core, clock=clock)


@pytest.mark.parametrize("business", sorted(CASTS))
async def test_every_scenario_ends_as_it_should_and_costs_few_model_calls(still, business):
    open_ones = [one for one in ALL if one.business == business and not one.held_out]

    evaluation = await evaluate_examples(still, open_ones)

    assert evaluation.simulated
    assert {
        one.scenario.slug: list(map(str, one.runs[0].faults)) for one in evaluation.results if one.runs[0].faults
    } == {}
    turns = [turn for result in evaluation.results for run in result.runs for turn in run.turns]
    assert max(turn.calls for turn in turns if not turn.tool_calls) <= 2
    assert max(turn.calls for turn in turns if turn.tool_calls) <= 4


async def test_of_the_held_out_scenarios_only_one_is_beyond_the_script(still):
    """They were written once the script was frozen, which is not changed for them: what it cannot do stays known."""
    held_out = [one for one in ALL if one.held_out]

    evaluation = await evaluate_examples(still, held_out)

    assert len(held_out) >= 10
    failed = [one.scenario.slug for one in evaluation.results if one.runs[0].faults]
    assert failed == ["held_out/salon-drop-friday"]


def test_there_are_scenarios_of_everything_that_a_front_desk_meets():
    tags = {tag for one in ALL for tag in one.tags}

    assert len([one for one in ALL if not one.held_out]) >= 40
    assert tags >= {
        "book", "move", "cancel", "two_services", "as_last_time", "busy", "wrong_phone", "change_of_mind",
        "out_of_hours", "haggling", "angry", "language", "off_topic", "injection",
    }  # fmt: skip


def test_the_script_that_plays_the_model_knows_no_scenario():
    source = "\n".join(
        path.read_text(encoding="utf-8").casefold() for path in sorted((ROOT / "sandbox" / "scripted").glob("*.py"))
    )
    phrases = [line for one in ALL for line in one.says if isinstance(line, str) and len(line.split()) > 2]

    assert [line for line in phrases if line.casefold() in source] == []
    assert [one.slug for one in ALL if one.slug.rpartition("/")[2] in source and "-" in one.slug] == []


async def test_what_is_not_as_it_should_be_fails_and_says_why(still):
    asks = next(one for one in ALL if one.slug.endswith("manicure-range"))
    wrong = asks.model_copy(
        update={"ends": asks.ends.model_copy(update={"said": ("9999",), "never_said": ("1800",), "appointments": ()})}
    )

    [result] = (await evaluate_examples(still, [wrong])).results

    assert result.passed == 0
    assert [re.sub(",.*", "", str(fault)) for fault in result.runs[0].faults] == [
        "an appointment too many: Маникюр",
        "never said: 9999",
        "said: 1800",
    ]


async def test_a_company_is_tried_out_on_a_copy_and_a_worse_setting_is_named(house, tmp_path):
    for name in ("book", "person"):
        (tmp_path / f"{name}.yaml").write_text(
            (ROOT / "bot" / "rehearsal" / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8"
        )
    core = replace(
        house.core, settings=house.core.settings.model_copy(update={"gemini_api_url": None, "gemini_api_key": None})
    )
    agent = (await core.companies.get_snapshot(house.company_id)).agent
    by_person = tuple(replace(one, booking=Booking.PERSON) for one in agent.services)

    before = await evaluate_company(core, "elita", folder=tmp_path, runs=1)
    after = await evaluate_company(core, "elita", folder=tmp_path, runs=1, agent=replace(agent, services=by_person))

    assert before.pass_hat(1) == 1.0
    assert [one.split(":")[0] for one in lowered(before, after)] == ["book"]
    assert lowered(after, before) == []
    assert house.records() == []


def test_a_bad_scenario_is_refused_with_its_file(tmp_path):
    (tmp_path / "bad.yaml").write_text("title: x\nsays: []\n", encoding="utf-8")

    with pytest.raises(ScenarioError, match=r"bad\.yaml"):
        load_scenarios(tmp_path)
    with pytest.raises(ScenarioError, match="no scenarios"):
        load_scenarios(tmp_path / "empty")


def test_all_of_k_runs_count_as_tau_bench_counts_them():
    assert pass_hat(3, 4, 1) == 0.75
    assert pass_hat(3, 4, 2) == 0.5
    assert pass_hat(3, 4, 4) == 0.0
    assert pass_hat(4, 4, 4) == 1.0


@pytest.mark.page
@pytest.mark.skipif(CHROMIUM is None and not MUST_RUN, reason="no Chromium here: the page was NOT tested")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_page_shows_each_dialogue_and_where_it_failed(tmp_path):
    from playwright.async_api import async_playwright

    page = tmp_path / "report.html"
    page.write_text(page_of(_two_results(), language="ru"), encoding="utf-8")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = await browser.new_page()
        await opened.goto(page.as_uri())
        text = await opened.inner_text("body")
        shown = await opened.locator("details.failed[open] .faults li").all_inner_texts()
        await opened.locator("details.ok summary").click()
        said = await opened.locator("details.ok .client").first.inner_text()
        scripts = await opened.locator("script").count()
        await browser.close()

    assert "ничего не говорит о том, насколько хорошо отвечает модель" in text
    assert "50%" in text
    assert shown == ["Нет записи: <b>Маникюр</b>"]
    assert said == "Хочу <script>стрижку</script>"
    assert scripts == 0


def _two_results() -> Evaluation:
    scenario = Scenario.model_validate(
        {
            "title": "Запись",
            "slug": "book",
            "client": {"name": "Елена", "phone": "+79160000001"},
            "goal": "Вы хотите стрижку",
            "says": ["Хочу <script>стрижку</script>"],
            "ends": {},
        }
    )
    lines = [Line(by_client=True, text="Хочу <script>стрижку</script>"), Line(by_client=False, text="Когда?")]
    good = Run(faults=(), lines=lines, turns=(), seconds=1.0)
    bad = Run(faults=[Fault(FaultKind.NO_APPOINTMENT, "<b>Маникюр</b>")], lines=lines, turns=(), seconds=1.0)
    results = [Result(scenario=scenario, runs=[good]), Result(scenario=scenario, runs=[bad])]
    return Evaluation(company="Элита", model="scripted", simulated=True, results=results)
