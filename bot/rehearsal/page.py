"""The report as one page of HTML that needs nothing else: each dialogue, and where it failed."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from bot.rehearsal.clients import Line
from bot.rehearsal.evaluation import Evaluation, Result, Run
from bot.rehearsal.faults import Fault
from locales import Translator

_PAGE = Path(__file__).with_name("page.html")


def page_of(evaluation: Evaluation, *, language: str) -> str:
    """Render the page in the company's language."""
    texts = Translator.for_language(language)
    k, spent = evaluation.runs, evaluation.spent
    figures = [
        (texts.text("report-pass", k=1), f"{evaluation.pass_hat(1):.0%}"),
        *([(texts.text("report-pass", k=k), f"{evaluation.pass_hat(k):.0%}")] if k > 1 else []),
        (texts.text("report-scenarios"), str(len(evaluation.results))),
        (texts.text("report-model-calls"), str(spent.calls)),
        (texts.text("report-tokens"), f"{spent.prompt_tokens} / {spent.output_tokens}"),
    ]
    failed_first = sorted(evaluation.results, key=lambda one: one.passed - len(one.runs))
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        language=texts.language,
        title=escape(texts.text("report-title", company=evaluation.company)),
        warning=_note(texts.text("report-simulated")) if evaluation.simulated else "",
        model=escape(texts.text("report-model", model=evaluation.model)),
        figures="".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures),
        scenarios="\n".join(_scenario(one, texts) for one in failed_first),
    )


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _scenario(result: Result, texts: Translator) -> str:
    passed = result.passed == len(result.runs)
    mark = texts.text("report-passed" if passed else "report-failed")
    count = texts.text("report-of", passed=result.passed, runs=len(result.runs))
    runs = "".join(_run(run, number, texts) for number, run in enumerate(result.runs, 1))
    return (
        f'<details class="{"ok" if passed else "failed"}"{"" if passed else " open"}>'
        f'<summary><span class="mark">{escape(mark)}</span> {escape(result.scenario.title)} '
        f"<small>{escape(result.scenario.slug)} · {escape(count)}</small></summary>"
        f'<p class="goal">{escape(result.scenario.goal.strip())}</p>{runs}</details>'
    )


def _run(run: Run, number: int, texts: Translator) -> str:
    calls = sum(turn.calls for turn in run.turns)
    told = texts.text("report-run", number=number, turns=len(run.turns), calls=calls, seconds=f"{run.seconds:.1f}")
    faults = "".join(f"<li>{escape(_told(fault, texts))}</li>" for fault in run.faults)
    return (
        f"<section><h3>{escape(told)}</h3>"
        + (f'<ul class="faults">{faults}</ul>' if faults else "")
        + "".join(map(_line, run.lines))
        + "</section>"
    )


def _told(fault: Fault, texts: Translator) -> str:
    return texts.text("report-fault", kind=fault.kind.name.lower(), what=fault.what or "—")


def _line(line: Line) -> str:
    buttons = "".join(f"<b>{escape(label)}</b>" for label in line.buttons)
    shown = f"<span>{buttons}</span>" if buttons else ""
    return f'<p class="{"client" if line.by_client else "agent"}">{escape(line.text)}{shown}</p>'
