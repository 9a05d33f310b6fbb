"""A trace collector: OTLP over HTTP, the protobuf encoding, gzip where the sender chose it.

Written after https://opentelemetry.io/docs/specs/otlp/#otlphttp-request: POST /v1/traces with an
ExportTraceServiceRequest; another content type is refused with 415, a body that is none with 400, and the answer is an
ExportTraceServiceResponse. Spans whose ids have the wrong length are refused, as the protocol's proto file asks.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

_TYPE = "application/x-protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span as it came in. Ids are hexadecimal; `parent` is empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, str]
    error: str


@dataclass(slots=True)
class Collector:
    """Keeps every span, and every body as it was sent (unpacked)."""

    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Collector]:
        application = web.Application(client_max_size=20 * 1024 * 1024)
        application.router.add_post("/v1/traces", self._take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        if request.content_type != _TYPE:
            raise web.HTTPUnsupportedMediaType
        # aiohttp has unpacked what came with Content-Encoding: gzip, unless the sender forgot to say so.
        body = await request.read()
        body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        try:
            sent = ExportTraceServiceRequest.FromString(body)
        except DecodeError as error:
            raise web.HTTPBadRequest(reason="not an ExportTraceServiceRequest") from error
        for of_resource in sent.resource_spans:
            about = {one.key: one.value.string_value for one in of_resource.resource.attributes}
            for of_scope in of_resource.scope_spans:
                for one in of_scope.spans:
                    if len(one.trace_id) != 16 or len(one.span_id) != 8:
                        raise web.HTTPBadRequest(reason="an id of the wrong length")
                    self.spans.append(
                        Span(
                            service=about.get("service.name", ""),
                            name=one.name,
                            trace=one.trace_id.hex(),
                            id=one.span_id.hex(),
                            parent=one.parent_span_id.hex(),
                            attributes={pair.key: pair.value.string_value for pair in one.attributes},
                            error=one.status.message,
                        )
                    )
        self.bodies.append(body)
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=_TYPE)
