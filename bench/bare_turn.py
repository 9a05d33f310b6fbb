"""The least that a turn can be: the same outside calls with the same SDKs, one INSERT and one UPDATE, nothing else.

`python -m bench.bare_turn VENDORS_URL CRM_URL AUTHORIZATION DATABASE_URL SECONDS` prints, as JSON, the turns it made
and the processor time that it took for them. CRM_URL: where free times are asked for, but for the days.
No tenant, no order, no promise: only a floor.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count

IN_FLIGHT = 20
_QUESTION = "Здравствуйте! Есть ли свободное время на женскую стрижку?"
_TABLE = "CREATE TABLE IF NOT EXISTS bench_turns (id bigint PRIMARY KEY, question text, answer text)"


async def run(vendors: str, crm: str, authorization: str, database: str, seconds: float) -> dict[str, float]:
    """Make turns for so long, so many in flight."""
    import asyncpg
    import httpx
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from google import genai
    from google.genai import types

    session = AiohttpSession(api=TelegramAPIServer.from_base(vendors))
    bot = Bot(f"800000000:{'A' * 35}", session=session)
    model = genai.Client(api_key="bench", http_options=types.HttpOptions(base_url=vendors))
    pool = await asyncpg.create_pool(database, min_size=10, max_size=10)
    await pool.execute(_TABLE)
    numbers, days, made = count(int(time.time() * 1000)), count(), 0
    schema = {"type": "object", "properties": {"date_from": {"type": "string"}}}
    tool = types.Tool(
        function_declarations=[types.FunctionDeclaration(name="get_available_slots", parameters_json_schema=schema)]
    )
    config = types.GenerateContentConfig(system_instruction="You answer for a salon.", tools=[tool])
    async with httpx.AsyncClient(headers={"Authorization": authorization}) as http:

        async def turn() -> None:
            number = next(numbers)
            await pool.execute("INSERT INTO bench_turns (id, question) VALUES ($1, $2)", number, _QUESTION)
            asked: list[types.Content] = [types.Content(role="user", parts=[types.Part(text=_QUESTION)])]
            first = await model.aio.models.generate_content(model="bench", contents=asked, config=config)
            content = first.candidates[0].content if first.candidates else None
            assert content is not None and first.function_calls, "the model asks for times first"  # noqa: S101, PT018
            day = (datetime.now(UTC) + timedelta(days=1 + next(days) % 150)).date().isoformat()
            answer = await http.get(httpx.URL(crm).copy_merge_params({"from": day, "to": day}))
            answer.raise_for_status()
            result = types.Part.from_function_response(
                name="get_available_slots", response={"slots": answer.text[:500]}
            )
            asked += [content, types.Content(role="user", parts=[result])]
            second = await model.aio.models.generate_content(model="bench", contents=asked, config=config)
            await bot.send_message(5, second.text or "…")
            await pool.execute("UPDATE bench_turns SET answer = $2 WHERE id = $1", number, second.text)

        await turn()
        ends, began = time.monotonic() + seconds, time.process_time()

        async def client() -> int:
            mine = 0
            while time.monotonic() < ends:
                await turn()
                mine += 1
            return mine

        made = sum(await asyncio.gather(*(client() for _ in range(IN_FLIGHT))))
        cpu = time.process_time() - began
    await bot.session.close()
    await pool.close()
    return {"made": made, "cpu_s": cpu}


if __name__ == "__main__":
    import uvloop

    _vendors, _crm, _authorization, _database, _seconds = sys.argv[1:]
    made_of = run(_vendors, _crm, _authorization, _database, float(_seconds))
    sys.stdout.write(json.dumps(uvloop.run(made_of)))
