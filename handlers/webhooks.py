"""Where messengers knock: size, token, the channel's own proof, then stored and committed; only then 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from aiohttp import web
from prometheus_client import Counter, Histogram
from pydantic import SecretStr

from db.directory import Directory
from db.intake import Intake
from db.records import Channel, ChannelType
from handlers.base import ChannelIntake

log = structlog.get_logger()

BODY_LIMIT = 1024 * 1024
UPDATES = Counter("ai_admin_updates", "Updates at the door.", ["channel", "outcome"])
ACCEPT_SECONDS = Histogram(
    "ai_admin_accept_seconds",
    "From the first byte of a webhook to its commit.",
    ["channel"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


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
        quiet: timedelta,
    ) -> None:
        self._directory = directory
        self._intake = intake
        self._intakes = intakes
        self._open_secrets = open_secrets
        self._address_of = address_of
        self._quiet = quiet

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, each also without `/api`."""
        return [
            web.post(f"{prefix}/v1/{type_.value}/webhook/{{webhook_token}}", self._accept)
            for type_ in self._intakes
            for prefix in ("/api", "")
        ]

    async def _accept(self, request: web.Request) -> web.Response:
        # The order at the door: size, token, the channel's own proof.
        if (request.content_length or 0) > BODY_LIMIT:
            raise web.HTTPRequestEntityTooLarge(max_size=BODY_LIMIT, actual_size=request.content_length or 0)
        type_ = ChannelType(request.path.removeprefix("/api").split("/")[2])
        channel = await self._directory.find_channel(request.match_info["webhook_token"])
        if channel is None or channel.type is not type_:
            # Unknown, disabled, of another channel: the same answer whatever the cause.
            UPDATES.labels(type_.value, "unknown_token").inc()
            raise web.HTTPNotFound
        fields = {"company_id": str(channel.company_id), "channel_id": str(channel.id)}
        with structlog.contextvars.bound_contextvars(**fields), ACCEPT_SECONDS.labels(type_.value).time():
            return await self._store(request, channel)

    async def _store(self, request: web.Request, channel: Channel) -> web.Response:
        intake = self._intakes[channel.type]
        body = await request.read()
        if not intake.prove(self._open_secrets(channel), request.headers, body):
            UPDATES.labels(channel.type.value, "refused").inc()
            log.warning("webhook_proof_failed", remote=self._address_of(request))
            raise web.HTTPUnauthorized
        accepted = intake.accept(body)
        quiet = (await self._directory.get_snapshot(channel.company_id)).agent.quiet
        new = await self._intake.accept(
            channel, accepted, quiet=self._quiet if quiet is None else quiet, address=self._address_of(request)
        )
        UPDATES.labels(channel.type.value, "accepted").inc(new)
        UPDATES.labels(channel.type.value, "repeated").inc(len(accepted) - new)
        return web.json_response({})
