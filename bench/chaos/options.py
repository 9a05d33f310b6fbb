"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything is bounded: `most_s` ends the run whatever happens, and then it has failed.

    `at_once`: so many of the dialogues are held side by side; the next begins when one has ended.
    `crm_limits` False lifts the CRM's limits on calls, ours and the vendor's: a short run has no minutes to wait.
    `pause_s`: from a victim's return to the next kill, from and to. `patience_s`: how long a kill waits for its step.
    `deadline_s`: how long a client waits for an answer before it writes on. `settle_s`: how long the end may take.
    """

    kills: int
    dialogues: int
    messages: int
    at_once: int
    seed: int
    lease_s: float
    crm_limits: bool
    pause_s: tuple[float, float]
    patience_s: float
    deadline_s: float
    settle_s: float
    most_s: float
    result: Path | None
    keep: bool
