"""What an evaluation came to: lines for a terminal, figures for other programs, a page for the owner."""

from __future__ import annotations

from typing import Any

from bot.rehearsal.evaluation import Evaluation, Result

SIMULATED = "simulated: a script plays the model. It proves tools and guards, not judgement"


def lines_of(evaluation: Evaluation) -> list[str]:
    """Say it in lines; what failed comes with the conversation."""
    k, spent = evaluation.runs, evaluation.spent
    lines = [SIMULATED] if evaluation.simulated else []
    lines += [
        f"company: {evaluation.company}; model: {evaluation.model}",
        f"scenarios: {len(evaluation.results)}, each played {k} times",
        f"pass^1: {evaluation.pass_hat(1):.3f}" + (f"   pass^{k}: {evaluation.pass_hat(k):.3f}" if k > 1 else ""),
        f"model calls: {spent.calls}; tool calls: {spent.tool_calls}; "
        f"tokens in {spent.prompt_tokens}, out {spent.output_tokens}"
        # What a script would have cost says nothing.
        + ("" if evaluation.simulated else f"; cost {spent.cost / 1_000_000:.2f} USD"),
        f"a conversation took {evaluation.seconds:.1f} s on average",
    ]
    for result in evaluation.results:
        mark = "ok  " if result.passed == len(result.runs) else "FAIL"
        lines.append(f"  {mark} {result.scenario.slug}: {result.passed} of {len(result.runs)}")
        lines += _what_failed(result)
    return lines


def _what_failed(result: Result) -> list[str]:
    failed = next((run for run in result.runs if run.faults), None)
    if failed is None:
        return []
    talk = [f"         {'>' if line.by_client else ' '} {line.text}" for line in failed.lines]
    return [*(f"       - {fault}" for fault in failed.faults), *talk]


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return it as JSON takes it."""
    k = evaluation.runs
    return {
        "simulated": evaluation.simulated,
        "company": evaluation.company,
        "model": evaluation.model,
        "runs": k,
        "pass^1": round(evaluation.pass_hat(1), 4),
        f"pass^{k}": round(evaluation.pass_hat(k), 4),
        "model_calls": evaluation.spent.calls,
        "prompt_tokens": evaluation.spent.prompt_tokens,
        "output_tokens": evaluation.spent.output_tokens,
        "cost_usd": None if evaluation.simulated else round(evaluation.spent.cost / 1_000_000, 4),
        "seconds": round(evaluation.seconds, 2),
        "scenarios": [
            {
                "slug": result.scenario.slug,
                "title": result.scenario.title,
                "held_out": result.scenario.held_out,
                "passed": result.passed,
                "runs": [
                    {
                        "faults": [str(fault) for fault in run.faults],
                        "turns": len(run.turns),
                        "model_calls": sum(turn.calls for turn in run.turns),
                        "seconds": round(run.seconds, 2),
                    }
                    for run in result.runs
                ],
            }
            for result in evaluation.results
        ],
    }
