"""A chat completion that comes in pieces, put together as it is written.

After https://platform.openai.com/docs/api-reference/chat-streaming: words come as `delta.content`, a call's arguments
as text in many pieces under the call's index, the counts in a last piece without choices (where `include_usage` is
known).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from orchestration.ports import Listener


@dataclass(slots=True)
class _Whole:
    """What has come so far."""

    words: str = ""
    refusal: str = ""
    finish: str | None = None
    model: str = ""
    usage: Any = None
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.words or None,
            "refusal": self.refusal or None,
            "tool_calls": [self.calls[index] for index in sorted(self.calls)] or None,
        }
        choices = [{"index": 0, "message": message, "finish_reason": self.finish, "logprobs": None}]
        return {
            "id": "",
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": choices if self.finish is not None else [],
            "usage": self.usage,
        }


async def listen(pieces: AsyncIterator[ChatCompletionChunk], listener: Listener) -> ChatCompletion:
    """Let the listener hear the words as they come, and return the whole completion.

    One that ends without saying why was cut off: it has no choices.
    """
    whole = _Whole()
    async for piece in pieces:
        whole.model = piece.model or whole.model
        whole.usage = piece.usage or whole.usage
        for choice in piece.choices[:1]:
            whole.finish = choice.finish_reason or whole.finish
            whole.refusal += choice.delta.refusal or ""
            for call in choice.delta.tool_calls or []:
                _add_call(whole, call)
            if words := choice.delta.content:
                whole.words += words
                await listener.hear(words)
    return ChatCompletion.model_validate(whole.document())


def _add_call(whole: _Whole, piece: Any) -> None:
    call = whole.calls.setdefault(
        piece.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    )
    call["id"] = piece.id or call["id"]
    if piece.function is not None:
        call["function"]["name"] += piece.function.name or ""
        call["function"]["arguments"] += piece.function.arguments or ""
