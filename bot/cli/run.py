"""Running: the demo, everything in one process, the two roles apart, and the doctor."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from bot.cli.output import AsJson, say, show
from bot.cli.session import run_async, settings_with_logs
from bot.settings import Settings
from bot.tracing import set_up_tracing


def register(app: typer.Typer) -> None:
    """Put these commands on the top level."""
    for command in (demo, serve, gateway, worker, doctor):
        app.command()(command)


def demo(
    port: Annotated[int, typer.Option(help="The port of the page.")] = 8085,
    crm: Annotated[str, typer.Option(help="Which CRM the demo company uses.")] = "yclients",
    channel: Annotated[str, typer.Option(help="Which channel the self test speaks through.")] = "telegram",
    self_test: Annotated[bool, typer.Option(help="Hold one booking conversation by itself and leave.")] = False,
) -> None:
    """The whole system on embedded servers, with sandbox servers and one demo company."""
    from bot.demo import DemoOptions, run_demo

    options = DemoOptions(port=port, crm=crm, channel=channel, self_test=self_test)
    raise typer.Exit(run_async(run_demo(options)))


def serve() -> None:
    """Gateway and worker in one process."""
    from bot.roles import run_serve

    settings = _settings_of_a_process()
    run_async(run_serve(settings, dict(os.environ)))


def gateway() -> None:
    """Only the gateway: takes updates in."""
    from bot.roles import run_gateway

    settings = _settings_of_a_process()
    run_async(run_gateway(settings))


def worker(
    http: Annotated[bool, typer.Option("--http", help="Answer telephone calls too, at HOST and PORT.")] = False,
) -> None:
    """Only a worker: makes turns and delivers replies."""
    from bot.roles import run_worker

    settings = _settings_of_a_process()
    run_async(run_worker(settings, http=http))


def _settings_of_a_process() -> Settings:
    settings = settings_with_logs()
    set_up_tracing(os.environ)
    return settings


def doctor(
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check all that the installation depends on, and say what to do about each fault. Exit code 1 on a failure."""
    from bot.doctor import examine

    rows: list[dict[str, Any]] = run_async(examine())
    if as_json:
        show(rows, as_json=True)
    else:
        for line in told(rows):
            say(line)
    bad = {"failed", "warning"} if strict else {"failed"}
    if any(row["status"] in bad for row in rows):
        raise typer.Exit(1)


def told(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the doctor's rows as lines for a person: what to do stands below what it is about."""
    width = max(len(row["what"]) for row in rows)
    lines = []
    for row in rows:
        lines.append(f"{row['status']:<7}  {row['what']:<{width}}  {row['detail']}")
        if row["advice"]:
            lines.append(f"{'':<7}  {'':<{width}}  → {row['advice']}")
    count = Counter(row["status"] for row in rows)
    return [*lines, f"{count['failed']} failed, {count['warning']} warnings, {count['ok']} ok"]
