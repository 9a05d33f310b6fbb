"""The alerts an operator gets: each fires when it should, keeps quiet otherwise, and leads to a page to follow."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import typer.main
from ruamel.yaml import YAML

from bot.cli import app
from bot.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
ALERTMANAGER = ROOT / "deploy" / "prometheus" / "alertmanager.yml"
CASES = ROOT / "tests" / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
SECTIONS = ["What clients feel", "Which company", "What to do", "When it clears"]


def read(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def rules(kind):
    return {rule[kind]: rule for group in read(RULES)["groups"] for rule in group["rules"] if kind in rule}


ALERTS = rules("alert")
PAGES = sorted(RUNBOOKS.glob("*.md"))


def page_of(alert):
    """CompanyCRMFailing → company-crm-failing."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", alert).lower() + ".md"


def promtool(prometheus_tool, *arguments, tool="promtool"):
    command = [prometheus_tool(tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_prometheus_takes_the_rules_and_the_configuration(prometheus_tool):
    for arguments in (
        ("check", "rules", RULES),
        ("check", "config", "--syntax-only", ROOT / "deploy" / "prometheus" / "prometheus.yml"),
    ):
        done = promtool(prometheus_tool, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"), [("severity=critical", "on-call"), ("severity=warning", "working-day")]
)
def test_alertmanager_takes_its_configuration_and_tells_the_right_people(prometheus_tool, labels, receiver):
    checked = promtool(prometheus_tool, "check-config", ALERTMANAGER, tool="amtool")
    assert checked.returncode == 0, checked.stdout + checked.stderr

    told = promtool(prometheus_tool, "config", "routes", "test", f"--config.file={ALERTMANAGER}", labels, tool="amtool")
    assert told.stdout.strip() == receiver


def test_what_silences_another_alert_and_what_is_silenced_are_alerts():
    for rule in read(ALERTMANAGER)["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert set(re.findall("[A-Z][A-Za-z]+", matcher)) <= set(ALERTS), matcher


@pytest.mark.parametrize("board", ["platform", "company"])
def test_a_dashboard_asks_the_source_that_is_chosen_and_its_panels_stand_beside_each_other(board):
    panels = json.loads((ROOT / "deploy" / "grafana" / f"{board}.json").read_text(encoding="utf-8"))["panels"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(places)) == len(places)
    assert all(x < 24 for x, _ in places)
    sources = {target["datasource"]["uid"] for panel in panels for target in panel.get("targets", [])}
    assert sources == {"${datasource}"}


@pytest.mark.parametrize("file", sorted(CASES.glob("*_test.yml")), ids=lambda path: path.name)
def test_each_alert_fires_and_keeps_quiet_as_its_cases_say(prometheus_tool, file):
    done = promtool(prometheus_tool, "test", "rules", file)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_quiet():
    seen = {True: set(), False: set()}
    for file in CASES.glob("*_test.yml"):
        for case in read(file)["tests"]:
            for asked in case["promql_expr_test"]:
                found = re.fullmatch(r'ALERTS\{alertname="(\w+)",alertstate="firing"\}', asked["expr"])
                seen[bool(asked["exp_samples"])].add(found[1])

    assert seen[True] == set(ALERTS)
    assert seen[False] == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_whose_it_is_and_where_to_read_on(name):
    alert = ALERTS[name]
    notes = alert["annotations"]

    assert alert["labels"] == {"severity": alert["labels"]["severity"]}
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(notes) == {"summary", "description", "runbook"}
    # Those of one company name it first.
    assert notes["summary"].startswith("{{ $labels.company }}: ") == ("_company_" in _unfolded(alert["expr"]))
    assert notes["runbook"] == f"docs/runbooks/{page_of(name)}"


def _unfolded(expression):
    """The expression with what the recording rules stand for put in their place."""
    for record, rule in rules("record").items():
        expression = expression.replace(record, rule["expr"])
    return expression


def test_every_alert_has_its_page_and_no_page_is_without_an_alert():
    assert [path.name for path in PAGES] == sorted(page_of(name) for name in ALERTS)


def test_the_operators_list_has_every_alert_with_its_severity():
    rows = re.findall(
        r"(?m)^\| (\[.*?) \| (critical|warning) \|", (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    )
    listed = {
        name: (page, severity) for names, severity in rows for name, page in re.findall(r"\[(\w+)\]\((.+?)\)", names)
    }

    assert listed == {
        name: (f"runbooks/{page_of(name)}", alert["labels"]["severity"]) for name, alert in ALERTS.items()
    }


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_answers_the_four_questions(name):
    text = (RUNBOOKS / page_of(name)).read_text(encoding="utf-8")

    assert text.startswith(f"# {name}\n")
    assert re.findall("(?m)^## (.+)$", text) == SECTIONS


def test_every_command_of_the_pages_is_there():
    commands = typer.main.get_command(app).commands
    named = {
        match
        for path in [*PAGES, ROOT / "docs" / "monitoring.md"]
        for match in re.findall(r"\bai-admin ([a-z]+)(?: ([a-z]+))?", path.read_text(encoding="utf-8"))
    }

    missing = [
        (group, command)
        for group, command in sorted(named)
        if group not in commands or (hasattr(commands[group], "commands") and command not in commands[group].commands)
    ]
    assert missing == []
    assert ("crm", "check") in named


def test_every_log_event_of_the_pages_is_written_by_the_code():
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("bot", "handlers", "middlewares", "orchestration", "crm", "db")
        for path in (ROOT / package).rglob("*.py")
    )
    named = {event for path in PAGES for event in re.findall(r"event `([a-z_]+)`", path.read_text(encoding="utf-8"))}

    assert [event for event in sorted(named) if f'"{event}"' not in code] == []
    assert "crm_left_in_peace" in named


def test_every_setting_of_the_pages_is_there():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = {one for path in PAGES for one in re.findall(r"AI_ADMIN_[A-Z_]+", path.read_text(encoding="utf-8"))}

    assert named - known == set()
    assert "AI_ADMIN_METRICS_TOKEN" in named


# ---- the metrics that are asked for

METRIC = re.compile(r"\b(ai_admin_[a-z_]+?)(?:_bucket|_count|_sum)?\b(?:\{([^}]*)\})?")


def documented():
    """Each metric of docs/metrics.md with its labels."""
    rows = re.findall(r"(?m)^\| (`ai_admin_[^|]+) \| ([^|]*) ?\|", (ROOT / "docs" / "metrics.md").read_text("utf-8"))
    return {
        name: set(re.findall("[a-z_]+", labels))
        for names, labels in rows
        for name in re.findall("`(ai_admin_[a-z_]+)`", names)
    }


def queries():
    """Everything that is asked of Prometheus, by where it stands."""
    for kind in ("alert", "record"):
        for name, rule in rules(kind).items():
            yield name, rule["expr"]
    for path in PAGES:
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "deploy" / "grafana").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        asked += [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
        assert len(asked) > 10
        yield from ((path.name, query) for query in asked)


def test_every_metric_that_is_asked_for_is_documented_with_its_labels():
    known = documented()
    faults = []
    for place, query in queries():
        for name, selector in METRIC.findall(query):
            if name not in known:
                faults.append(f"{place}: no metric {name}")
                continue
            labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", selector))
            faults += [f"{place}: {name} has no label {label}" for label in labels - known[name] - {"job", "instance"}]

    assert faults == []


def test_every_recorded_series_that_is_asked_for_is_recorded():
    asked = {name for _, query in queries() for name in re.findall(r"ai_admin:[a-z0-9_:]+", query)}

    assert asked == set(rules("record"))
