"""`POST /process`: a unified message in, stored as a webhook's update is; the reply out, or an id to ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.answers import Answer, Answers
from db.directory import Directory
from db.intake import Intake
from db.records import Accepted, Channel, ChannelType, dialogue_id_of
from orchestration.identity import find_phones
from orchestration.messages import Attachment, Message, Sender
from orchestration.ports import Clock

log = structlog.get_logger()

WAIT = timedelta(seconds=30)
NAME = r"^[^\x00-\x1f\x7f]*$"
"""Ids are anything but control characters: they stand in a header and in the database."""
MAY_PROVE_PHONES = "may_prove_phones"
"""The channel's option: its caller has proved the phones that it names (it runs the client's sign-in, say)."""


class ProcessRequest(BaseModel):
    """The body of `POST /process`.

    `message_id` is the caller's own: the same id again returns the same reply and does nothing twice. `company`, if
    given, must be the credential's own company.
    """

    model_config = ConfigDict(extra="forbid")

    message_id: str = Field(min_length=1, max_length=128, pattern=NAME)
    client_id: str = Field(min_length=1, max_length=128, pattern=NAME)
    text: str = Field("", max_length=8000)
    action: str | None = Field(None, max_length=64)
    company: str | None = None
    client_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, max_length=35)
    proved_phone: str | None = Field(None, max_length=32)
    attachments: tuple[Attachment, ...] = Field((), max_length=10)


class Process:
    """The credential is the webhook token of the company's API channel, as a bearer token."""

    def __init__(
        self,
        directory: Directory,
        intake: Intake,
        answers: Answers,
        address_of: Callable[[web.Request], str | None],
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._intake = intake
        self._answers = answers
        self._address_of = address_of
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/process", self._process), web.get("/process/{message_id}", self._ask_again)]

    async def _process(self, request: web.Request) -> web.Response:
        channel = await self._channel(request)
        body = await _read(request)
        await self._check(channel, body)
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
        await self._intake.accept(channel, [accepted], quiet=timedelta(0), address=self._address_of(request))
        dialogue_id = dialogue_id_of(channel.id, body.client_id)
        answer = await self._answers.wait(channel, body.message_id, dialogue_id, within=WAIT)
        return _respond(body.message_id, answer)

    async def _ask_again(self, request: web.Request) -> web.Response:
        channel = await self._channel(request)
        message_id = request.match_info["message_id"]
        if not re.fullmatch(NAME, message_id):
            raise web.HTTPNotFound
        answer = await self._answers.find(channel, message_id)
        if answer is None:
            raise web.HTTPNotFound
        return _respond(message_id, answer if answer.done else None)

    async def _channel(self, request: web.Request) -> Channel:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        channel = await self._directory.find_channel(token.strip()) if scheme.lower() == "bearer" and token else None
        if channel is None or channel.type is not ChannelType.API:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        return channel

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
        body = ProcessRequest.model_validate_json(await request.read())
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
