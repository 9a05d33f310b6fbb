"""The language model: does its service know the key and the models, and is its clock ours?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp

from bot.doctor.rows import OUTSIDE, Row, failed, ok, warn
from bot.doctor.stores import judge_clock, moment_of
from bot.settings import ModelProvider, Settings
from bot.worker_app import open_service
from orchestration.errors import ModelRefused, ModelUnavailable
from orchestration.ports import Clock

GEMINI_HOST = "https://generativelanguage.googleapis.com"
_NO_MODEL = "until then clients are told that a person will answer"


def address_of(settings: Settings) -> str:
    """Return where the model is asked."""
    if settings.model_provider is ModelProvider.OPENAI:
        return settings.openai_api_url
    return settings.gemini_api_url or GEMINI_HOST


async def look_at_model(settings: Settings) -> Sequence[Row]:
    """Ask for each model by its name, which costs nothing. Raises OrchestrationError."""
    provider = settings.model_provider.value
    if not settings.has_model:
        advice = f"set AI_ADMIN_GEMINI_API_KEY (https://aistudio.google.com/apikey); {_NO_MODEL}"
        return [failed(provider, "AI_ADMIN_GEMINI_API_KEY is not set", advice)]
    service = open_service(settings)
    try:
        known = await asyncio.gather(*(service.knows(name, within=OUTSIDE) for name in service.models))
        return [_judge(provider, place, *one) for place, one in enumerate(zip(service.models, known, strict=True))]
    except ModelRefused as error:
        setting = "OPENAI" if settings.model_provider is ModelProvider.OPENAI else "GEMINI"
        advice = f"put a key that is valid into AI_ADMIN_{setting}_API_KEY; {_NO_MODEL}"
        return [failed(provider, f"refused: {error}", advice)]
    except ModelUnavailable as error:
        advice = f"see that this machine reaches {address_of(settings)} (proxy, firewall, region); {_NO_MODEL}"
        return [failed(provider, f"cannot be reached: {error}", advice)]
    finally:
        await service.close()


async def look_at_clock(settings: Settings, now: Clock) -> Sequence[Row]:
    """Compare this machine's clock with the one of the model's service; nothing where that tells no time."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=OUTSIDE.total_seconds())) as session,
            session.get(address_of(settings), allow_redirects=False) as response,
        ):
            theirs = moment_of(response.headers.get("Date", ""))
            ours = now()
    except (aiohttp.ClientError, OSError):
        # The row of the model says it.
        return []
    # The header has whole seconds, and came after half of the way.
    return [judge_clock("clock, against the model's service", ours - theirs)] if theirs is not None else []


def _judge(provider: str, place: int, name: str, known: bool | None) -> Row:
    what = f"{provider} {'spare ' if place else ''}model"
    setting = f"AI_ADMIN_{provider.upper()}_{'FALLBACK_' if place else ''}MODEL"
    if known is None:
        return warn(
            what, f"the key is set; whether {name} is there, this service does not tell", f"see that {setting} is right"
        )
    if known:
        return ok(what, f"{name} answers to this key")
    status = warn if place else failed
    return status(what, f"there is no model {name!r} for this key", f"set {setting} to a model that is there")
