"""Where messengers knock: size, token, the channel's own proof, then stored and committed; only then 200."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from aiohttp import web
from opentelemetry.trace import SpanKind
from pydantic import SecretStr

from db.directory import Directory
from db.inbox import KEEP_KEYS
from db.intake import Intake
from db.records import Accepted, Channel, ChannelType
from handlers.base import ChannelIntake
from handlers.body import read_body, refuse_large
from handlers.doorways import UPDATES, Doorway, Doorways
from handlers.log_levels import LogLevels, at_level
from orchestration.company_figures import COMPANY_FIGURES
from orchestration.ports import Clock
from orchestration.stages import carried, span

log = structlog.get_logger()

BODY_LIMIT = 1024 * 1024
OLDEST = KEEP_KEYS - timedelta(hours=12)
"""Messengers repeat for less than this; keys are remembered for longer: in between, nothing comes in twice."""


class Webhooks:
    """Takes updates in for the channels whose intake it was given. Knows no SDK."""

    def __init__(
        self,
        directory: Directory,
        intake: Intake,
        intakes: Mapping[ChannelType, ChannelIntake],
        open_secrets: Callable[[Channel], Mapping[str, SecretStr]],
        address_of: Callable[[web.Request], str | None],
        *,
        clock: Clock,
        quiet: timedelta,
    ) -> None:
        self._directory = directory
        self._intake = intake
        self._intakes = intakes
        self._open_secrets = open_secrets
        self._address_of = address_of
        self._clock = clock
        self._doorways = Doorways(intakes, open_secrets, quiet)
        self._levels = LogLevels(directory, clock)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, each also without `/api`."""
        routes = []
        for type_, intake in self._intakes.items():
            for prefix in ("/api", ""):
                path = f"{prefix}/v1/{type_.value}/webhook/{{webhook_token}}"
                routes.append(web.post(path, self._accept))
                if intake.challenged:
                    routes.append(web.get(path, self._challenge))
        return routes

    async def _challenge(self, request: web.Request) -> web.Response:
        """Answer a messenger that asks whether the address is ours; the answer is plain text, letter for letter."""
        channel = (await self._doorway(request)).channel
        answer = self._intakes[channel.type].challenge(self._open_secrets(channel), request.query)
        if answer is None:
            UPDATES.labels(channel.type.value, "refused").inc()
            raise web.HTTPForbidden
        return web.Response(text=answer)

    async def _accept(self, request: web.Request) -> web.Response:
        # The order at the door: size, token, the channel's own proof, rate (by the intake). Junk uses up nobody's rate.
        refuse_large(request, most=BODY_LIMIT)
        doorway = await self._doorway(request)
        structlog.contextvars.bind_contextvars(**doorway.fields)
        began, company = time.perf_counter(), doorway.company.company
        with at_level(self._levels.of(company)), span("webhook", kind=SpanKind.SERVER, **doorway.fields):
            try:
                response = await self._store(request, doorway)
            finally:
                took_s = time.perf_counter() - began
                doorway.seconds.observe(took_s)
        COMPANY_FIGURES.accepted(company, took_s)
        return response

    async def _doorway(self, request: web.Request) -> Doorway:
        type_ = ChannelType(request.path.removeprefix("/api").split("/")[2])
        found = await self._directory.find_behind(
            request.match_info["webhook_token"], asked_by=self._address_of(request)
        )
        if found is None or found[0].type is not type_:
            # Unknown, disabled, of another channel: the same answer whatever the cause.
            UPDATES.labels(type_.value, "unknown_token").inc()
            raise web.HTTPNotFound
        return self._doorways.of(*found)

    async def _store(self, request: web.Request, doorway: Doorway) -> web.Response:
        channel = doorway.channel
        intake = self._intakes[channel.type]
        body = await read_body(request, most=BODY_LIMIT)
        if not doorway.lock(request.headers, body):
            UPDATES.labels(channel.type.value, "refused").inc()
            COMPANY_FIGURES.refused(doorway.company.company)
            log.warning("webhook_proof_failed", remote=self._address_of(request))
            raise web.HTTPUnauthorized
        by_address: dict[str | None, list[Accepted]] = {}
        for update in intake.accept(body):
            if self._is_stale(intake, update):
                UPDATES.labels(channel.type.value, "stale").inc()
                continue
            by_address.setdefault(update.address, []).append(update)
        for address, accepted in by_address.items():
            for owner in await self._owners(request, doorway, body, address, len(accepted)):
                await self._keep(request, owner, accepted)
        return web.Response(body=b"{}", content_type="application/json", charset="utf-8")

    def _is_stale(self, intake: ChannelIntake, update: Accepted) -> bool:
        """Say whether this was signed so long ago that we may have taken it, and do not remember."""
        sent_at = intake.sent_at(update)
        return sent_at is not None and self._clock() - sent_at > OLDEST

    async def _owners(
        self, request: web.Request, doorway: Doorway, body: bytes, address: str | None, updates: int
    ) -> Sequence[Doorway]:
        """Return the doorways of the bot or number that these updates were sent to: this one, or those of the same app.

        Whoever adds a channel says whose number it is, so its own secrets have to prove the very same body.
        """
        channel = doorway.channel
        if address is None or address == channel.external_id:
            return [doorway]
        others = [self._doorways.of(*one) for one in await self._directory.list_at_address(channel.type, address)]
        found = [one for one in others if one.lock(request.headers, body)]
        if not found:
            UPDATES.labels(channel.type.value, "unknown_number").inc(updates)
            log.warning("webhook_for_unknown_number", address=address, updates=updates)
        return found

    async def _keep(self, request: web.Request, doorway: Doorway, accepted: Sequence[Accepted]) -> None:
        new = await self._intake.accept(
            doorway.channel, accepted, quiet=doorway.quiet, address=self._address_of(request), trace=carried()
        )
        doorway.accepted.inc(new)
        if new < len(accepted):
            UPDATES.labels(doorway.channel.type.value, "repeated").inc(len(accepted) - new)
