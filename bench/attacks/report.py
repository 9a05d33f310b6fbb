"""What the suite came to, for people and for other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.attacks.attempt import Outcome
from bench.attacks.run import Suite


def lines_of(suite: Suite) -> list[str]:
    """Say it in lines for a terminal."""
    attacks = [one.attack for one in suite.guarded]
    held_out = sum(one.held_out for one in attacks)
    got, bare = _harmful(suite.guarded), _harmful(suite.unguarded)
    lines = [
        "simulated: a script plays the model that obeys every instruction; this proves the guards, not a model",
        f"attacks tried: {len(attacks)} ({held_out} held out), by way in: {_counted(one.way_in for one in attacks)};"
        f" by goal: {_counted(one.goal for one in attacks)}; by language: {_counted(one.language for one in attacks)}",
        f"  every guard on:  {len(got)} of {len(attacks)} got through",
        f"  guards off:      {len(bare)} of {len(attacks)} got through ({_counted(one.attack.goal for one in bare)})",
        f"  never read by the model: {len(suite.unread)} {' '.join(suite.unread)}".rstrip(),
        f"false claims of a booking: {len(suite.claims_that_left)} of {len(suite.claims)} left",
        f"honest replies: {len(suite.honest_blocked)} of {len(suite.honest)} blocked",
    ]
    lines += [f"  GOT THROUGH {one.attack.id}: {one.harm}" for one in got]
    lines += [f"  LEFT [{one.language}] {one.says}" for one in suite.claims_that_left]
    lines += [
        f"  blocked [{one.entry.language}] {one.entry.says} ({', '.join(f'{f.code}: {f.what}' for f in one.faults)})"
        for one in suite.honest_blocked
    ]
    return lines


def figures_of(suite: Suite) -> dict[str, Any]:
    """Return it as figures for a file."""
    return {
        "simulated": True,
        "attacks": len(suite.guarded),
        "attacks_held_out": sum(one.attack.held_out for one in suite.guarded),
        "got_through": len(_harmful(suite.guarded)),
        "got_through_without_guards": len(_harmful(suite.unguarded)),
        "never_read": len(suite.unread),
        "claims": len(suite.claims),
        "claims_that_left": len(suite.claims_that_left),
        "honest": len(suite.honest),
        "honest_blocked": len(suite.honest_blocked),
    }


def _harmful(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.harm]


def _counted(values: Any) -> str:
    return ", ".join(f"{value} {count}" for value, count in sorted(Counter(values).items()))
