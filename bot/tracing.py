"""Traces from webhook to reply, sent by OpenTelemetry's SDK where OTEL_* says where to; else nothing of it is loaded.

The SDK reads its own settings (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from opentelemetry import trace

from bot.settings import SettingsError
from db.traced import trace_statements
from orchestration.stages import tracing

log = structlog.get_logger()

_WORDLESS = {"record_exception": False, "set_status_on_exception": False}
_WHERE_TO = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class TracingNotInstalled(SettingsError):
    """OTEL_* asks for traces, and the extra `tracing` is not installed."""


def set_up_tracing(environment: Mapping[str, str]) -> bool:
    """Send spans from now on, if the environment says where to; say whether they are sent.

    Raises TracingNotInstalled.
    """
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or not any(environment.get(name) for name in _WHERE_TO):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.redis import RedisInstrumentor
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingNotInstalled("OTEL_* asks for traces: install ai-admin[tracing], or unset it") from error
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: environment.get("OTEL_SERVICE_NAME", "ai-admin")})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    tracing.is_on = True
    # It writes commands without their keys and values, which name clients; but errors with them.
    RedisInstrumentor().instrument(tracer_provider=_WordlessProvider(provider))
    trace_statements()
    log.info("traces_are_sent")
    return True


class _WordlessProvider(trace.TracerProvider):
    """Makes tracers that keep errors' words out of their spans."""

    def __init__(self, inner: trace.TracerProvider) -> None:
        self._inner = inner

    def get_tracer(self, *names: Any, **more: Any) -> trace.Tracer:
        return _WordlessTracer(self._inner.get_tracer(*names, **more))


class _WordlessTracer(trace.Tracer):
    def __init__(self, inner: trace.Tracer) -> None:
        self._inner = inner

    def start_span(self, name: str, *rest: Any, **more: Any) -> trace.Span:
        return self._inner.start_span(name, *rest, **{**more, **_WORDLESS})

    def start_as_current_span(  # type: ignore[override]  # the SDK's wants a decorator of its own
        self, name: str, *rest: Any, **more: Any
    ) -> AbstractContextManager[trace.Span]:
        return self._inner.start_as_current_span(name, *rest, **{**more, **_WORDLESS})
