"""Turns what a policy returned into generateContent's JSON: ids, signatures, finish reason, usage, stream pieces."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.gemini.faults import EMPTY_FINISH, Fault, FaultKind
from sandbox.gemini.models import demands_signatures
from sandbox.gemini.signatures import sign_calls, sign_text
from sandbox.gemini.usage import count_thoughts, part_text, text_tokens, usage_metadata
from sandbox.gemini.wire import FunctionCall, GenerateRequest, Json, Part

MODEL_VERSION = "scripted-model (sandbox)"
_PIECE = 48  # characters of text in one piece of a stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer before it is written whole or in pieces; parts is None where the API sends no content at all."""

    parts: list[Json] | None
    finish: str | None  # None: the prompt was blocked, there is no candidate
    feedback: Json | None
    usage: Json
    response_id: str

    def whole(self) -> Json:
        """Write the answer of generateContent."""
        return self._document(self.parts, finish=self.finish, usage=self.usage)

    def pieces(self) -> list[Json]:
        """Write the same answer as the chunks of streamGenerateContent: usage and finish reason come last."""
        if not self.parts:
            return [self.whole()]
        split = [piece for part in self.parts for piece in _split(part)]
        last = len(split) - 1
        return [
            self._document(
                [one], finish=self.finish if index == last else None, usage=self.usage if index == last else None
            )
            for index, one in enumerate(split)
        ]

    def _document(self, parts: list[Json] | None, *, finish: str | None, usage: Json | None) -> Json:
        document: Json = {}
        if self.feedback is not None:
            document["promptFeedback"] = self.feedback
        if self.finish is not None:
            candidate: Json = {"index": 0}
            if parts is not None:
                candidate["content"] = {"role": "model", "parts": list(parts)} if parts else {"role": "model"}
            if finish is not None:
                candidate["finishReason"] = finish
            document["candidates"] = [candidate]
        if usage is not None:
            document["usageMetadata"] = usage
        document["modelVersion"] = MODEL_VERSION
        document["responseId"] = self.response_id
        return document


def answer_parts(
    model: str, request: GenerateRequest, parts: Sequence[Part], prompt: dict[str, int], cached: int
) -> Answer:
    """Make the answer that says or calls these parts, cut where maxOutputTokens ends."""
    thoughts = count_thoughts(request, parts)
    limit = request.generation_config and request.generation_config.max_output_tokens
    kept, finish = _within(parts, limit - thoughts) if limit else (list(parts), "STOP")
    spoken = sum(text_tokens(part_text(part)) for part in kept)
    return Answer(
        parts=_issue(model, kept),
        finish=finish,
        feedback=None,
        usage=usage_metadata(prompt, cached=cached, answer=spoken, thoughts=min(thoughts, limit or thoughts)),
        response_id=_response_id(),
    )


def answer_fault(fault: Fault, prompt: dict[str, int]) -> Answer | None:
    """Make the contentless answer of a fault that is one, else None."""
    usage = usage_metadata(prompt, cached=0, answer=0, thoughts=0)
    if fault.kind is FaultKind.BLOCKED:
        feedback: Json = {"blockReason": fault.block_reason}
        return Answer(parts=None, finish=None, feedback=feedback, usage=usage, response_id=_response_id())
    finish = EMPTY_FINISH.get(fault.kind)
    if finish is None:
        return None
    return Answer(parts=None, finish=finish, feedback=None, usage=usage, response_id=_response_id())


def _within(parts: Sequence[Part], budget: int) -> tuple[list[Part], str]:
    kept: list[Part] = []
    for part in parts:
        cost = text_tokens(part_text(part))
        if cost <= budget:
            kept.append(part)
            budget -= cost
            continue
        if part.text and budget > 0:
            kept.append(Part(text=part.text[: max(1, len(part.text) * budget // cost)]))
        return kept, "MAX_TOKENS"
    return kept, "STOP"


def _issue(model: str, parts: Sequence[Part]) -> list[Json]:
    calls = [_with_id(part.function_call) for part in parts if part.function_call]
    signature = sign_calls(model, calls) if calls else None
    issued: list[Json] = []
    for part in parts:
        if part.function_call is None:
            issued.append({"text": part.text or ""})
            continue
        call = calls.pop(0)
        document: Json = {"functionCall": {"id": call.id, "name": call.name, "args": call.args or {}}}
        if signature is not None and demands_signatures(model):
            document["thoughtSignature"] = signature
            signature = None  # a parallel group is signed once, on its first call
        issued.append(document)
    spoken = parts[-1].text if parts else None
    if spoken and demands_signatures(model):
        issued[-1]["thoughtSignature"] = sign_text(model, spoken)
    return issued


def _with_id(call: FunctionCall) -> FunctionCall:
    return call if call.id else call.model_copy(update={"id": f"call_{secrets.token_hex(4)}"})


def _response_id() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def _split(part: Json) -> list[Json]:
    """Cut a text into pieces; its signature comes at the end on a piece with an empty text, as streams bring it."""
    text = part.get("text")
    if not isinstance(text, str):
        return [part]
    pieces: list[Json] = [{"text": text[start : start + _PIECE]} for start in range(0, len(text), _PIECE)]
    if "thoughtSignature" in part:
        pieces.append({"text": "", "thoughtSignature": part["thoughtSignature"]})
    return pieces or [part]
