"""How long a caller waits for us: from the end of their speech to the first words out, the model's own time taken off.

The system is `ai-admin serve` as a process of its own, held to one core; the callers, the model and the databases have
the rest of the machine. Callers speak at the speed of life. The model takes `FIRST_WORD_S` to its first words, and what
it is late itself, sharing a core with the rest: what it really took is measured where it answers, and taken off.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from aiohttp import web
from pydantic import SecretStr

from bench.serving import served
from bench.system import cpu_s, free_port, measured, step_beside
from bot.app import open_core
from bot.channels.voice import PhoneNumber, add_voice
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.settings import Settings
from db.embedded import start_embedded
from sandbox.telephony.caller import Phone
from sandbox.telephony.provider import Provider

CALLS = 50
SECONDS = 45.0
WARM_UP_S = 10.0
FIRST_WORD_S = 0.4
"""What the model takes to its first words, whatever it is asked."""
_HOST, _TOKEN, _NUMBER = "https://voice.bench.example", "bench", "+74951234567"
_ROOT = Path(__file__).parent.parent
_COMPANY = _ROOT / "examples" / "elita.yaml"
_QUESTIONS = (
    "Здравствуйте, подскажите, пожалуйста, где вы находитесь?",
    "А как к вам лучше добраться?",
    "Можно ли прийти с ребёнком?",
    "Спасибо, а кто у вас работает в выходные?",
)
_CALL = "Звонок {}."
"""Said with each question, so that the model knows whom it answers."""
_ANSWER = "Конечно, с удовольствием помогу вам. Что ещё рассказать?"


_PIECE = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": _ANSWER}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 2000, "candidatesTokenCount": 20, "totalTokenCount": 2020},
    "modelVersion": "bench",
}
_EVENT = f"data: {json.dumps(_PIECE, ensure_ascii=False)}\r\n\r\n".encode()


async def measure(*, calls: int = CALLS, seconds: float = SECONDS, warm_up_s: float = WARM_UP_S) -> dict[str, float]:
    """Hold the calls and return the figures, in milliseconds."""
    step_beside()
    async with AsyncExitStack() as stack:
        model = _Model()
        url, pid = await _system(stack, model)
        provider = Provider(auth_token=_TOKEN, connect_to=url[0])
        cpu, began = cpu_s(pid), time.monotonic()
        until = began + warm_up_s + seconds
        heard = await asyncio.gather(
            *(_caller(provider, url[1], model, index, began + warm_up_s, until) for index in range(calls))
        )
        spent, took = cpu_s(pid) - cpu, time.monotonic() - began
    if provider.violations:
        raise RuntimeError(f"the provider refused: {provider.violations[:3]}")
    own = sorted(latency for one in heard for latency in one)
    cuts = quantiles(own, n=100)
    return {
        "voice_own_p50_ms": round(cuts[49], 1),
        "voice_own_p95_ms": round(cuts[94], 1),
        "voice_own_p99_ms": round(cuts[98], 1),
        "voice_calls": calls,
        "voice_turns": len(own),
        "voice_core_busy": round(spent / took, 2),
    }


async def _caller(
    provider: Provider, webhook: str, model: _Model, index: int, count_from: float, until: float
) -> list[float]:
    """Call, and talk until the time is over; return what was waited for us at each answer once the system was warm."""
    chance = random.Random(index)
    await asyncio.sleep(chance.uniform(0, (count_from - time.monotonic()) / 2))
    waited: list[float] = []
    async with Phone(provider=provider, webhook_url=webhook, number=f"+7916000{index:04}", to=_NUMBER) as phone:
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(1, 4))
            await phone.asks(f"{chance.choice(_QUESTIONS)} {_CALL.format(index)}")
            if time.monotonic() >= count_from:
                waited.append(phone.latencies_ms[-1] - model.took_s[index] * 1000)
    return waited


async def _system(stack: AsyncExitStack, model: _Model) -> tuple[tuple[str, str], int]:
    """Start everything; return where the system is reached, the number's webhook, and the process."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="ai-admin-bench-")))
    servers = (await stack.enter_async_context(await start_embedded(folder / "servers"))).servers
    model_url = await stack.enter_async_context(model.serving())
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        voice_public_url=_HOST,
    )
    async with open_core(settings) as core:
        company = await replace_from_file(core.companies, parse_company_file(_COMPANY.read_text(encoding="utf-8")))
        phone = PhoneNumber(number=_NUMBER, auth_token=SecretStr(_TOKEN), lines=1000)
        webhook = str((await add_voice(core, company.id, phone))["webhook"])
    port = free_port()
    environment = {
        "AI_ADMIN_DATA_DIR": str(folder),
        "AI_ADMIN_DATABASE_URL": servers.database_url,
        "AI_ADMIN_REDIS_URL": servers.redis_url,
        "AI_ADMIN_VOICE_PUBLIC_URL": _HOST,
        "AI_ADMIN_GEMINI_API_KEY": "bench",
        "AI_ADMIN_GEMINI_API_URL": model_url,
        "AI_ADMIN_LOG_FORMAT": "json",
        "AI_ADMIN_PORT": str(port),
        "PYTHONPATH": str(_ROOT),
    }
    log = folder / "serve.log"
    process = await stack.enter_async_context(
        measured(("bot", "serve"), port=port, ready="/ready", environment=environment, log=log)
    )
    return (f"http://127.0.0.1:{port}", webhook), process.pid


@dataclass(slots=True)
class _Model:
    """Gemini's streamGenerateContent: the same words after a known time.

    `took_s`: what the last answer to a call took.
    """

    took_s: dict[int, float] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        application = web.Application(client_max_size=20 * 1024 * 1024)
        application.router.add_post("/{rest:.*}", self._answer)
        async with served(application) as url:
            yield url

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        began = time.monotonic()
        await asyncio.sleep(FIRST_WORD_S)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_EVENT)
        words = asked["contents"][-1]["parts"][-1]["text"]
        self.took_s[int(re.findall(_CALL.format(r"(\d+)"), words)[-1])] = time.monotonic() - began
        await response.write_eof()
        return response
