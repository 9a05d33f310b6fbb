"""The load generator: a process of its own, so that it takes nothing of what it measures.

`python -m bench.load SPEC.json` sends POSTs over so many connections and prints what came of it as JSON. Each body
holds a number of its own, as messengers' updates do. Without a rate, a connection asks again as soon as it is answered;
with one, requests have their times, and a late answer counts from when it was due (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import cast

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
LONGEST_ANSWER_S = 30.0
NUMBER_DIGITS = 12
"""Every number has as many, so that a body's length is known before it."""
FIRST_NUMBER = 10 ** (NUMBER_DIGITS - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to send. `templates`: what stands before and after a request's number; `order`: which one comes next.

    `rate`: requests a second in all; None: as many as are answered.
    """

    host: str
    port: int
    templates: list[tuple[str, str]]
    order: list[int]
    connections: int = 64
    seconds: float = 3.0
    rate: float | None = None
    first_number: int = FIRST_NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of it. `wrong`: answered with anything but 200."""

    done: int
    wrong: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        return self.done / self.seconds


@dataclass(slots=True)
class _Shared:
    spec: Spec
    began: float
    ends: float
    sent: int = 0
    wrong: int = 0
    took: list[float] = field(default_factory=list)

    def next_request(self) -> bytes:
        before, after = self.spec.templates[self.spec.order[self.sent % len(self.spec.order)]]
        number = self.spec.first_number + self.sent
        self.sent += 1
        return f"{before}{number}{after}".encode()


class _Connection(asyncio.Protocol):
    def __init__(self, shared: _Shared, place: int, over: asyncio.Future[None]) -> None:
        self._shared = shared
        self._place = place
        self._over = over
        self._turn = 0
        self._due = 0.0
        self._kept = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._kept += data
        head = self._kept.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._kept, 0, head)
        whole = head + 4 + int(length[1]) if length else len(self._kept)
        if len(self._kept) < whole or (length is None and not self._kept.endswith(b"0\r\n\r\n")):
            return
        self._shared.took.append(time.perf_counter() - self._due)
        self._shared.wrong += not self._kept.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
        self._kept.clear()
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._over.done():
            self._over.set_exception(error or ConnectionResetError("the server closed a connection under load"))

    def _next(self) -> None:
        now, spec = time.perf_counter(), self._shared.spec
        due = now
        if spec.rate is not None:
            due = self._shared.began + (self._place + self._turn * spec.connections) / spec.rate
            self._turn += 1
        if due >= self._shared.ends:
            if not self._over.done():
                self._over.set_result(None)
            self._transport.close()
        elif due <= now:
            self._send(due)
        else:
            asyncio.get_running_loop().call_later(due - now, self._send, due)

    def _send(self, due: float) -> None:
        self._due = due
        self._transport.write(self._shared.next_request())


async def run(spec: Spec) -> Told:
    """Send as the spec says. Raises ConnectionError where the server closes a connection."""
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    shared = _Shared(spec, began, began + spec.seconds)
    overs = []
    for place in range(spec.connections):
        over: asyncio.Future[None] = loop.create_future()
        overs.append(over)
        await loop.create_connection(partial(_Connection, shared, place, over), spec.host, spec.port)
    async with asyncio.timeout(spec.seconds + LONGEST_ANSWER_S):
        await asyncio.gather(*overs)
    cuts = quantiles(shared.took, n=100) if len(shared.took) > 1 else [0.0] * 99
    return Told(
        done=len(shared.took),
        wrong=shared.wrong,
        seconds=time.perf_counter() - began,
        p50_ms=cuts[49] * 1000,
        p99_ms=cuts[98] * 1000,
    )


async def load(spec: Spec, folder: Path) -> Told:
    """Run the generator as a process of its own, and return what it tells. Raises RuntimeError where it fails."""
    path = folder / "load.json"
    path.write_text(json.dumps(asdict(spec)), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the load generator failed: {err.decode()[-2000:]}")
    told = Told(**json.loads(out))
    if told.wrong:
        raise RuntimeError(f"{told.wrong} of {told.done} answers were not 200")
    return told


if __name__ == "__main__":
    import uvloop

    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(asdict(uvloop.run(run(Spec(**given))))))
