"""A real Prometheus reads a running installation: a CRM goes away, the operator is told whose, and told no more after.

An hour of the rules is a minute here: every time in them is divided by 60, and so are the times between two readings.
The dashboards' queries are asked of the same Prometheus.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML

from bot.gauges import EVERY, keep_gauges
from bot.tasks import end

ROOT = Path(__file__).parents[2]
TOKEN = "figures-only-for-this-test"
# Two waits of up to a minute on a machine that is full of other tests; half a minute in all on a quiet one.
pytestmark = pytest.mark.timeout(300)

COMPANY = "elita"
FASTER = 60
RATE_INTERVAL = "4m"
"""Grafana makes it four times the scrape interval at least; wider here, as a busy machine reads late."""
MAY_BE_EMPTY = {
    "platform: Changes made in CRMs",
    "platform: Replies of the model held back",
    "platform: Connections closed at the door",
    "platform: Budgets spent most",
    "platform: Channels that are broken",
    "platform: Calls that ended",
    "company: Budget of the month spent",
}
"""Panels for what does not happen here; every other panel must have data."""
UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def faster(duration):
    """1m → 1000ms."""
    whole = sum(int(number) * UNITS_MS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdw])", duration))
    return f"{round(whole / FASTER)}ms"


def faster_query(query):
    """Divide the ranges and offsets of a query; what is no time (a threshold in seconds) stays."""
    query = re.sub(r"\[(\w+)\]", lambda found: f"[{faster(found[1])}]", query)
    return re.sub(r"\boffset (\w+)", lambda found: f"offset {faster(found[1])}", query)


def faster_rules(rules):
    for group in rules["groups"]:
        for place in (group, *group["rules"]):
            place.update({key: faster(place[key]) for key in ("interval", "for", "keep_firing_for") if key in place})
        for rule in group["rules"]:
            rule["expr"] = faster_query(rule["expr"])
    return rules


def read(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def write(path, content):
    # JSON is YAML too.
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def prepare(folder, target):
    """Write the operator's own files, sixty times faster and for this one process; return the configuration."""
    configuration = read(ROOT / "deploy" / "prometheus" / "prometheus.yml")
    rules = faster_rules(read(ROOT / "deploy" / "prometheus" / "rules.yml"))
    times = configuration["global"]
    times.update({name: faster(value) for name, value in times.items()})
    # A busy machine may take longer than a sixtieth of what a reading is given, but not than there is between two.
    times["scrape_timeout"] = times["scrape_interval"]
    configuration["rule_files"] = [write(folder / "rules.yml", rules)]
    del configuration["alerting"]
    [job] = configuration["scrape_configs"]
    token = folder / "token"
    token.write_text(TOKEN + "\n")
    job["authorization"]["credentials_file"] = str(token)
    # The roles are one process here, as `ai-admin serve` is.
    job["static_configs"] = [{"targets": [target], "labels": {"role": "serve"}}]
    return write(folder / "prometheus.yml", configuration)


class Prometheus:
    """Its HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

    def __init__(self, http):
        self._http = http

    async def is_ready(self):
        """It listens before it answers: until then everything is 503 in plain words."""
        return (await self._http.get("/-/ready")).status_code == 200

    async def firing(self, name):
        """The alerts of this name that fire now, with labels and notes."""
        alerts = (await self._get("alerts"))["alerts"]
        return [one for one in alerts if one["labels"]["alertname"] == name and one["state"] == "firing"]

    async def ask(self, query):
        """The result of a query of now. Fails where Prometheus says that the query is none."""
        return (await self._get("query", query=query))["result"]

    async def targets(self):
        return [
            (one["labels"]["role"], one["health"], one["lastError"])
            for one in (await self._get("targets"))["activeTargets"]
        ]

    async def rule_faults(self):
        groups = (await self._get("rules"))["groups"]
        return [
            (rule["name"], rule["lastError"]) for group in groups for rule in group["rules"] if rule.get("lastError")
        ]

    async def _get(self, path, **asked):
        answer = (await self._http.get(f"/api/v1/{path}", params=asked)).json()
        assert answer["status"] == "success", (asked, answer)
        return answer["data"]


@asynccontextmanager
async def watching(program, configuration, folder):
    """Run Prometheus on a port that the system chooses."""
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={configuration}",
        "--web.listen-address=127.0.0.1:0",
        f"--storage.tsdb.path={folder / 'data'}",
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "HOME": str(folder)},
    )
    told = []
    try:
        async with asyncio.timeout(30):
            while not (found := re.search(r'msg="Listening on" address=(\S+)', told[-1] if told else "")):
                line = await process.stderr.readline()
                assert line, "".join(told)
                told.append(line.decode())
        # Whoever writes to a full pipe stands still.
        reading = asyncio.create_task(process.stderr.read())
        async with httpx.AsyncClient(base_url=f"http://{found[1]}", trust_env=False, timeout=20) as http:
            yield Prometheus(http)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await reading


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


@pytest.fixture
async def prometheus(house, prometheus_tool, tmp_path, until):
    program = prometheus_tool("prometheus")
    configuration = prepare(tmp_path, house.url.removeprefix("http://"))
    async with watching(program, configuration, tmp_path) as running:
        await until(running.is_ready)
        yield running


async def people_ask(house, days):
    """New people ask for times on days of December, one after another, until they are stopped."""
    while True:
        for day in days:
            await house.client().says(f"Хочу на женскую стрижку к Анне {day}.12")


async def forge_webhooks(house, times):
    """Send updates to the bot's true address without its secret."""
    address = house.vendors.telegram.state.bots[house.bots[house.company_id]].webhook.url
    async with httpx.AsyncClient(trust_env=False) as http:
        for number in range(times):
            assert (await http.post(address, json={"update_id": number})).status_code == 401


@asynccontextmanager
async def many_people(house, *days):
    asking = [asyncio.create_task(people_ask(house, one)) for one in days]
    try:
        yield
        assert not any(task.done() for task in asking), [task.exception() for task in asking if task.done()]
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


@pytest.fixture
async def figures(house):
    """What is asked of the database for the figures, as `serve` does it; a sixtieth of 15 s apart."""
    keeping = asyncio.create_task(keep_gauges(house.core, counts=True, every=EVERY / FASTER))
    yield
    await end(keeping)


def panels(board):
    """Each query of a dashboard by its panel, with the variables filled in as Grafana would."""
    for panel in json.loads((ROOT / "deploy" / "grafana" / f"{board}.json").read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"].replace("$__rate_interval", RATE_INTERVAL).replace("$company", COMPANY)
            assert "$" not in query, query
            yield f"{board}: {panel['title']}", faster_query(query)


def pages():
    """Each query of the runbooks."""
    for path in sorted((ROOT / "docs" / "runbooks").glob("*.md")):
        for query in re.findall(r"(?s)```promql\n(.*?)```", path.read_text(encoding="utf-8")):
            yield path.name, faster_query(query)


async def test_a_crms_outage_is_told_of_with_its_company_and_told_no_more_when_it_is_over(
    house, figures, prometheus, until
):
    async def fires(name):
        return await prometheus.firing(name)

    async def is_quiet(name):
        return not await prometheus.firing(name)

    async def is_read():
        return await prometheus.targets() == [("serve", "up", "")]

    await until(is_read)
    await house.client().reaches_proposal()
    assert await prometheus.firing("CRMFailing") == []

    asked = len(house.vendors.yclients.calls)
    house.vendors.yclients.fail_next("/", times=1_000_000, html=True)
    await forge_webhooks(house, 4)
    async with many_people(house, (1, 2), (3, 4), (7, 8), (9, 10)):
        # Failures over more than five seconds: the account is left in peace, and whoever asks is told so at once.
        await until(lambda: len(house.vendors.yclients.calls) > asked + 8)
        house.clock.advance(timedelta(seconds=6))
        [alert] = await until(lambda: fires("CRMFailing"), within_s=60)
        assert alert["labels"] == {"alertname": "CRMFailing", "crm": "yclients", "severity": "critical"}
        assert re.fullmatch(r"\d+(\.\d+)?% of the calls of yclients fail", alert["annotations"]["summary"])

        [alert] = await until(lambda: fires("CompanyCRMFailing"), within_s=60)
        assert alert["labels"] == {"alertname": "CompanyCRMFailing", "company": COMPANY, "severity": "warning"}
        assert alert["annotations"]["summary"].startswith("elita: ")
        # Again, as those of before may lie too far back by now.
        await forge_webhooks(house, 4)
        assert await until(lambda: fires("CompanyWebhooksRefused"), within_s=60)

    await house.settles()
    house.vendors.yclients.clear_faults()
    # Where the account is left in peace, it is for half a minute.
    house.clock.advance(timedelta(seconds=31))
    await house.client().reaches_proposal("16:00")
    await until(lambda: is_quiet("CRMFailing"), within_s=60)
    await until(lambda: is_quiet("CompanyCRMFailing"), within_s=60)
    assert await prometheus.rule_faults() == []

    # The dashboards and the runbooks after all this: no query is none, and what happened is seen.
    found = {place: await prometheus.ask(query) for place, query in pages()}
    assert len(found) > 20
    empty = {place for place, query in [*panels("platform"), *panels("company")] if not await prometheus.ask(query)}
    assert empty - MAY_BE_EMPTY == set()
