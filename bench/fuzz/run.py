"""The whole run: which targets there are, and how many inputs each gets of a hundred thousand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial

from bench.fuzz.described import fuzz_described
from bench.fuzz.doors import fuzz_hooks, fuzz_process
from bench.fuzz.guided import fuzz_guided, is_here
from bench.fuzz.house import House
from bench.fuzz.imports import fuzz_imports
from bench.fuzz.messengers import TELEGRAM, WHATSAPP, fuzz_messenger
from bench.fuzz.readers import CHECKS, fuzz_reader
from bench.fuzz.tally import Tally
from bench.fuzz.telephone import fuzz_forms, fuzz_frames

Fuzz = Callable[..., Awaitable[Tally]]
AT_LEAST = 100_000


def doors(house: House) -> Mapping[str, tuple[Fuzz, int]]:
    """Return the targets with the real stores behind them, and their inputs in a whole run."""
    return {
        "telegram": (partial(fuzz_messenger, house, TELEGRAM), 12_000),
        "whatsapp": (partial(fuzz_messenger, house, WHATSAPP), 12_000),
        "crm": (partial(fuzz_hooks, house), 5_000),
        "process": (partial(fuzz_process, house), 800),
        "voice": (partial(fuzz_forms, house), 2_400),
        "frames": (partial(fuzz_frames, house), 2_400),
        "imports": (partial(fuzz_imports, house), 2_000),
        "openapi": (partial(fuzz_described, house), 1_400),
    }


def readers() -> Mapping[str, tuple[Fuzz, int]]:
    """Return the targets that read bodies and do no more."""
    slow = "company-file"
    return {f"reads-{name}": (partial(fuzz_reader, name), 2_000 if name == slow else 18_000) for name in CHECKS}


def guided() -> Mapping[str, tuple[Fuzz, int]]:
    """Return the same readers for atheris, beyond the hundred thousand; none where it is not installed."""
    slow = "company-file"
    found = {f"guided-{name}": (partial(fuzz_guided, name), 4_000 if name == slow else 40_000) for name in CHECKS}
    return found if is_here() else {}


async def run(
    targets: Mapping[str, tuple[Fuzz, int]], *, share: float = 1.0, seed: int, only: str = ""
) -> AsyncIterator[Tally]:
    """Run the targets whose name holds `only`, one after the other, each with its share of inputs."""
    for name, (fuzz, inputs) in targets.items():
        if only in name:
            yield await fuzz(inputs=max(1, round(inputs * share)), seed=seed)
