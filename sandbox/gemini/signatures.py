"""Thought signatures: opaque bytes that the model puts on a function call and wants back unchanged.

Rules: https://ai.google.dev/gemini-api/docs/thought-signatures. Nothing is remembered: a signature is computed from
the model's name and the calls of its group, so it fits no other model, no other call and no changed argument.
The documented dummy signatures for histories made elsewhere are refused here: no client of ours needs one.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence

from sandbox.gemini.wire import Content, FunctionCall, Part, invalid

_LENGTH = 192
_MISSING = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, "
    "and missing thought_signature may lead to degraded model performance. Additional data, function call "
    "`default_api:{name}` , position {position}. Please refer to "
    "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
)


def sign_calls(model: str, calls: Sequence[FunctionCall]) -> str:
    """Return the base64 signature that the first call of this parallel group carries."""
    return base64.b64encode(_digest(model, calls)).decode()


def sign_text(model: str, text: str) -> str:
    """Return the base64 signature of a written answer; it may be sent back and is not demanded."""
    return base64.b64encode(hashlib.shake_256(f"text {model} {text}".encode()).digest(_LENGTH // 4)).decode()


def decode(signature: str) -> bytes | None:
    """Decode either base64 alphabet; None when it is neither."""
    padded = signature + "=" * (-len(signature) % 4)
    try:
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None


def check_signatures(model: str, contents: Sequence[Content]) -> None:
    """Refuse a current turn whose calls lack their signature or carry another; older turns are not looked at."""
    for index in range(current_turn_start(contents), len(contents)):
        content = contents[index]
        if content.role == "model" and content.calls:
            _check_group(model, index, content)


def current_turn_start(contents: Sequence[Content]) -> int:
    """Find the last content in which the user says something, rather than returns a function's result."""
    for index in range(len(contents) - 1, -1, -1):
        content = contents[index]
        if content.role != "model" and not content.responses:
            return index
    return 0


def _check_group(model: str, index: int, content: Content) -> None:
    parts = [part for part in content.parts or [] if part.function_call]
    first = parts[0]
    if not first.thought_signature:
        name = content.calls[0].name
        raise invalid(_MISSING.format(name=name, position=index + 1))
    expected = _digest(model, content.calls)
    for part in parts:
        _compare(part, expected)


def _compare(part: Part, expected: bytes) -> None:
    # Google sends a signature on the first call of a group only; a copy on the others is not as issued, and is let
    # pass when it is the group's own.
    if part.thought_signature is None:
        return
    given = decode(part.thought_signature)
    if given is None or len(given) != len(expected):
        raise invalid("Invalid thought signature.")
    if given != expected:
        raise invalid("Corrupted thought signature.")


def _digest(model: str, calls: Sequence[FunctionCall]) -> bytes:
    group = [[call.name, call.id, call.args or {}] for call in calls]
    text = json.dumps([model, group], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.shake_256(b"calls " + text.encode()).digest(_LENGTH)
