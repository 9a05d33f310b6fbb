"""What a turn takes of the model: a booking of ten turns at a salon with two hundred services.

**Simulated**: a script stands in for the model, and its local server counts the tokens and what a provider's implicit
cache would serve: a common prefix with an earlier prompt, of 4,096 tokens at the least. The prompts are ours, whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr
from sqlalchemy import func, select

from bot.app import Core, open_core
from bot.company_file import parse_company_file
from bot.rehearsal.scenario import NOW
from bot.rehearsal.stage import Actor, Scene, Stage
from bot.sdks import load_sdks
from bot.settings import Mode, Settings
from db.models import tool_calls, turns
from sandbox.business import Business, BusinessService
from sandbox.gemini.server import GeminiSandbox
from sandbox.seeds import elita_business
from sandbox.yclients.staff_side import YclientsSalon

SERVICES = 200
_COMPANY = Path(__file__).parent.parent / "examples" / "elita.yaml"
_ROW = tuple[int, int, int, int]
"""Of a turn: its calls of the model, its tools, tokens of its prompts, and those of them that were cached."""


async def measure(*, others: bool = True) -> dict[str, float]:
    """Hold the conversation and return its figures; `others`: after another client's, as there always was one."""
    await load_sdks()
    with TemporaryDirectory(prefix="ai-admin-bench-") as place:
        settings = Settings(_env_file=None, mode=Mode.DEVELOPMENT, data_dir=Path(place), port=0)
        async with open_core(settings, clock=lambda: NOW, pool_size=20) as core:
            rows = await _turns(core, others=others)
    plain = [calls for calls, tools, _, _ in rows if calls and not tools]
    with_tools = [calls for calls, tools, _, _ in rows if tools]
    sent = sum(prompt for _, _, prompt, _ in rows)
    return {
        "prompt_turns": len(rows),
        "prompt_tokens_per_turn": round(sent / len(rows)),
        "cached_share": round(sum(cached for *_, cached in rows) / sent, 3),
        "model_calls_plain_turn": max(plain),
        "model_calls_tool_turn": max(with_tools),
    }


def big_business() -> Business:
    """Return the example's salon with so many services more that there are two hundred."""
    business = elita_business()
    masters = tuple(one.name for one in business.masters if one.bookable and not one.fired)
    more = tuple(
        BusinessService(
            title=f"Процедура «Уход №{number}»",
            low=1000 + 50 * number,
            high=1000 + 50 * number,
            minutes=30 + 15 * (number % 6),
            masters=(masters[number % len(masters)],),
            category=f"Уход {number % 8 + 1}",
        )
        for number in range(SERVICES - len(business.services))
    )
    return replace(business, services=(*business.services, *more))


async def _turns(core: Core, *, others: bool) -> list[_ROW]:
    gemini = GeminiSandbox(clock=lambda: NOW)
    await gemini.start()
    try:
        update = {"gemini_api_url": gemini.url, "gemini_api_key": SecretStr("sandbox"), "quiet_seconds": 0.0}
        core = replace(core, settings=core.settings.model_copy(update=update))
        async with Stage.open(core, make_crm=_crm) as stage:
            file = parse_company_file(_COMPANY.read_text(encoding="utf-8"))
            scene = await stage.set_scene(file, big_business())
            if others:
                await _book(scene.client("Ольга"), at="17:00", phone="+79160001133")
            before = len(await _rows(core, scene))
            await _book(scene.client("Анна"), at="15:00", phone="+79160001122")
            return (await _rows(core, scene))[before:]
    finally:
        await gemini.stop()


async def _book(client: Actor, *, at: str, phone: str) -> None:
    """Say ten things, of which the last books. Raises RuntimeError where no appointment came of it."""
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: client.says("Здравствуйте!"),
        lambda: client.says("Есть ли у вас парковка?"),
        lambda: client.says("Сколько стоит женская стрижка?"),
        lambda: client.says("А до скольки вы работаете?"),
        lambda: client.says("Как можно оплатить?"),
        lambda: client.says("Хочу постричься завтра после обеда"),
        lambda: client.says("Женская стрижка, мастер Анна Смирнова"),
        lambda: client.says(f"Давайте в {at}"),
        lambda: client.shares_phone(phone),
        lambda: client.presses("Да"),
    ]
    for step in steps:
        await step()
    if "вы записаны" not in client.told:
        raise RuntimeError(f"nothing was booked: {client.told[-600:]}")


async def _rows(core: Core, scene: Scene) -> list[_ROW]:
    table = turns.c
    called = (
        select(func.count())
        .select_from(tool_calls)
        .where(tool_calls.c.company_id == scene.company_id, tool_calls.c.turn_id == table.id)
        .scalar_subquery()
    )
    asked = select(table.calls, called, table.prompt_tokens, table.cached_tokens)
    async with core.database.company(scene.company_id) as tx:
        rows = await tx.connection.execute(asked.where(table.company_id == scene.company_id).order_by(table.id))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def _crm(business: Business) -> YclientsSalon:
    return YclientsSalon(business, clock=lambda: NOW, per_second=10_000, per_minute=100_000)
