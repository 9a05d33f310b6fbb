"""`POST /process`: a unified message in, stored as a webhook's update is; the reply out, or an id to ask for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.answers import Answer, Answers
from db.directory import Directory
from db.errors import NotFound
from db.intake import Intake
from db.records import Accepted, Channel, ChannelStatus, ChannelType, CompanyId, dialogue_id_of
from handlers.body import read_body, refuse_large
from orchestration.identity import find_phones
from orchestration.messages import Attachment, Message, Sender
from orchestration.ports import Clock
from orchestration.stages import carried, span

log = structlog.get_logger()

_COMPANY = r"^[A-Za-z0-9-]{1,64}$"
BODY_LIMIT = 1024 * 1024
WAIT = timedelta(seconds=30)
NAME = r"^[^\x00-\x1f\x7f]*$"
"""Ids are anything but control characters: they stand in a header and in the database."""
MAY_PROVE_PHONES = "may_prove_phones"
"""The channel's option: its caller has proved the phones that it names (it runs the client's sign-in, say)."""


class ProcessRequest(BaseModel):
    """The body of `POST /process`.

    `message_id` is the caller's own: the same id again returns the same reply and does nothing twice. `company`, if
    given, must be the credential's own company; the admin's token is of none, and has to name one.
    """

    model_config = ConfigDict(extra="forbid")

    message_id: str = Field(min_length=1, max_length=128, pattern=NAME)
    client_id: str = Field(min_length=1, max_length=128, pattern=NAME)
    text: str = Field("", max_length=8000)
    action: str | None = Field(None, max_length=64)
    company: str | None = Field(None, pattern=_COMPANY)
    client_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, max_length=35)
    proved_phone: str | None = Field(None, max_length=32)
    attachments: tuple[Attachment, ...] = Field((), max_length=10)


class Process:
    """The credential is the webhook token of the company's API channel, as a bearer token; or the admin's own token,
    which opens the API channel of any company that it names."""

    def __init__(
        self,
        directory: Directory,
        intake: Intake,
        answers: Answers,
        address_of: Callable[[web.Request], str | None],
        clock: Clock,
        *,
        is_admin: Callable[[web.Request], bool],
        find_company: Callable[[str], Awaitable[CompanyId]],
    ) -> None:
        """`find_company` knows slugs and ids, and raises NotFound."""
        self._directory = directory
        self._intake = intake
        self._answers = answers
        self._address_of = address_of
        self._clock = clock
        self._is_admin = is_admin
        self._find_company = find_company

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/process", self._process), web.get("/process/{message_id}", self._ask_again)]

    async def _process(self, request: web.Request) -> web.Response:
        # The order at the door: size, credential, rate (by the intake).
        refuse_large(request, most=BODY_LIMIT)
        channel = await self._channel(request)
        body = await _read(request)
        if channel is None:
            channel = await self._channel_of(body.company)
        await self._check(channel, body)
        whose = {"company_id": str(channel.company_id), "channel": channel.type.value}
        structlog.contextvars.bind_contextvars(**whose)
        message = Message(
            id=body.message_id,
            sent_at=self._clock(),
            text=body.text,
            action=body.action,
            press_id=body.message_id if body.action else None,
            proved_phone=_phone(body.proved_phone) if body.proved_phone else None,
            attachments=body.attachments,
            sender=Sender(name=body.client_name, language=body.language),
        )
        payload = message.model_dump_json(exclude_defaults=True).encode()
        accepted = Accepted(update_key=body.message_id, dialogue_key=body.client_id, payload=payload)
        with span("process", kind=SpanKind.SERVER, **whose):
            await self._intake.accept(
                channel, [accepted], quiet=timedelta(0), address=self._address_of(request), trace=carried()
            )
        dialogue_id = dialogue_id_of(channel.id, body.client_id)
        answer = await self._answers.wait(channel, body.message_id, dialogue_id, within=WAIT)
        return _respond(body.message_id, answer)

    async def _ask_again(self, request: web.Request) -> web.Response:
        channel = await self._channel(request) or await self._channel_of(request.query.get("company"))
        message_id = request.match_info["message_id"]
        if not re.fullmatch(NAME, message_id):
            raise web.HTTPNotFound
        answer = await self._answers.find(channel, message_id)
        if answer is None:
            raise web.HTTPNotFound
        return _respond(message_id, answer if answer.done else None)

    async def _channel(self, request: web.Request) -> Channel | None:
        """Return the credential's channel; None for the admin, who may name any company."""
        if self._is_admin(request):
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        channel = None
        if scheme.lower() == "bearer" and token:
            channel = await self._directory.find_channel(token.strip(), asked_by=self._address_of(request))
        if channel is None or channel.type is not ChannelType.API:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        return channel

    async def _channel_of(self, company: str | None) -> Channel:
        if company is None or not re.fullmatch(_COMPANY, company):
            raise web.HTTPBadRequest(reason="company: this credential is of no company; name one")
        try:
            company_id = await self._find_company(company)
        except NotFound:
            raise web.HTTPNotFound(reason="There is no such company") from None
        if not (await self._directory.get_snapshot(company_id)).company.disabled:
            for channel in await self._directory.list_channels(company_id):
                open_ = channel.status is not ChannelStatus.DISABLED and not channel.is_preview
                if channel.type is ChannelType.API and open_:
                    return channel
        raise web.HTTPNotFound(reason="This company has no API channel")

    async def _check(self, channel: Channel, body: ProcessRequest) -> None:
        if body.company is not None:
            company = (await self._directory.get_snapshot(channel.company_id)).company
            if body.company not in (company.slug, str(company.id)):
                raise web.HTTPForbidden(reason="This credential is of another company")
        if body.proved_phone is not None:
            if not channel.options.get(MAY_PROVE_PHONES):
                raise web.HTTPForbidden(reason="This credential may not assert proved phones")
            _phone(body.proved_phone)


async def _read(request: web.Request) -> ProcessRequest:
    try:
        body = ProcessRequest.model_validate_json(await read_body(request, most=BODY_LIMIT))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'body'}: {f['msg']}" for f in error.errors()[:10])
        raise web.HTTPBadRequest(reason=" ".join(faults.split())[:500]) from error
    if not (body.text or body.action or body.attachments or body.proved_phone):
        raise web.HTTPBadRequest(reason="text: a message has text, an action, a phone or an attachment")
    return body


def _phone(written: str) -> str:
    phones = find_phones(written)
    if len(phones) != 1:
        raise web.HTTPBadRequest(reason="proved_phone: not a phone number")
    return phones[0]


def _respond(message_id: str, answer: Answer | None) -> web.Response:
    if answer is None:
        body: dict[str, Any] = {"status": "pending", "message_id": message_id}
        return web.json_response(body, status=202, headers={"Location": f"/process/{quote(message_id, safe='')}"})
    return web.json_response({"status": "answered", "message_id": message_id, "replies": list(answer.replies)})
