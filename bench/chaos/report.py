"""What a run found: tables for people, one JSON object for programs, and whether it passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.chaos.fleet import Death
from bench.chaos.kills import Kill, step_table
from bench.chaos.options import Options
from bench.chaos.recovery import Recovery
from bench.chaos.verdict import TWICE, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    options: Options
    verdict: Verdict
    kills: Sequence[Kill]
    freezes: Sequence[Kill]
    recoveries: Sequence[Recovery]
    deaths: Sequence[Death]
    unrest: Mapping[str, int]
    said: Mapping[str, int]
    weather: Mapping[str, int]
    bookings: int
    crm_calls: int
    intents: Sequence[str]
    outcomes: Sequence[str]
    violations: Sequence[Mapping[str, Any]]
    errors: Mapping[str, int]
    uncertain: Mapping[str, int]
    seconds: float

    @property
    def passed(self) -> bool:
        """Say whether all that must be zero is, everything came to rest, and the wanted kills were made."""
        return self.verdict.clean and not self.unrest and len(self.kills) >= self.options.kills

    @property
    def ends_by_themselves(self) -> list[Death]:
        return [death for death in self.deaths if not death.killed]

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "seed": self.options.seed,
            "dialogues": self.options.dialogues,
            "lease_s": self.options.lease_s,
            "zeros": self.verdict.zeros,
            "sent_twice": self.verdict.sent_twice,
            "uncertain_sends": dict(self.uncertain),
            "unrest": dict(self.unrest),
            "no_reply": dict(self.verdict.no_reply),
            "kills": len(self.kills),
            "kills_by_victim": dict(Counter(kill.victim for kill in self.kills)),
            "kills_by_step": dict(Counter(kill.step for kill in self.kills)),
            "kills_in_order": [asdict(kill) for kill in self.kills],
            "freezes_by_step": dict(Counter(freeze.step for freeze in self.freezes)),
            "recovery_s": self._recovery(),
            "messages": sum(count for what, count in self.said.items() if what != "repeated by Telegram"),
            "said": dict(self.said),
            "bookings": self.bookings,
            "crm_calls": self.crm_calls,
            "intents": dict(Counter(self.intents)),
            "outcomes": dict(Counter(self.outcomes)),
            "faults": dict(self.weather),
            "ended_by_themselves": [asdict(death) for death in self.ends_by_themselves],
            "errors_logged": dict(self.errors),
            "refused_by_vendors": [str(one) for one in self.violations],
            "details": self.verdict.details,
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        facts = self.as_json()
        recovery = self._recovery()
        counts = [
            *((name, str(count), "must be 0") for name, count in self.verdict.zeros.items()),
            ("not at rest in the end", str(sum(self.unrest.values())), "must be 0"),
            (TWICE, str(self.verdict.sent_twice), "a kill, freeze or cut after the messenger's yes"),
            ("sends that the log calls uncertain", str(sum(self.uncertain.values())), "; ".join(self.uncertain)[:80]),
            ("kills", str(len(self.kills)), f"wanted {self.options.kills}"),
            ("workers frozen past their lease, and woken", str(len(self.freezes)), ""),
            ("client messages", str(facts["messages"]), f"in {self.options.dialogues} dialogues"),
            ("updates repeated by Telegram", str(self.said.get("repeated by Telegram", 0)), ""),
            ("bookings made", str(self.bookings), f"by {self.crm_calls} calls of the CRM"),
            ("recovery after a worker's death, median", _seconds(recovery["median"]), f"of {recovery['count']}"),
            ("recovery after a worker's death, most", _seconds(recovery["most"]), f"lease {self.options.lease_s:g} s"),
            (
                "the same, where nothing else died meanwhile",
                _seconds(recovery["most_calm"]),
                f"of {recovery['calm']}",
            ),
            ("processes ended by themselves", str(len(self.ends_by_themselves)), "started again at once"),
            ("wall time", _seconds(self.seconds), f"seed {self.options.seed}"),
        ]
        parts = [
            _table(step_table(self.kills)),
            _table([("what the clients did", "times"), *_counted(self.said)]),
            _table([("turns", "times"), *_counted(Counter(self.outcomes))]),
            _table([("turns without a reply", "times"), *_counted(self.verdict.no_reply)]),
            _table([("intents", "times"), *_counted(Counter(self.intents))]),
            _table([("vendors' faults ordered", "times"), *_counted(self.weather)]),
            _table([("errors logged", "times"), *_counted(self.errors)]),
            _table([("count", "found", "note"), *counts]),
            *(f"! {detail}" for detail in self.verdict.details),
            "PASSED" if self.passed else "FAILED",
        ]
        return "\n\n".join(parts)

    def _recovery(self) -> dict[str, Any]:
        seconds = [one.seconds for one in self.recoveries]
        calm = [one.seconds for one in self.recoveries if not one.disturbed]
        return {
            "count": len(seconds),
            "median": _rounded(median(seconds)) if seconds else None,
            "most": _rounded(max(seconds, default=None)),
            "calm": len(calm),
            "most_calm": _rounded(max(calm, default=None)),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} s"


def _counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, str(count)) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Draw rows in columns, a rule under the header."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * min(sum(widths) + 2 * len(widths), 120), *lines[1:]])
