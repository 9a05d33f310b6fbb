"""What the API refuses before a model is asked: the order of turns, function declarations, parts.

Messages marked "seen" are Google's own, from public reports; the others are ours in Google's form.
"""

import re
from collections.abc import Sequence
from typing import Any

from sandbox.gemini.models import check_generation, demands_signatures
from sandbox.gemini.signatures import check_signatures, decode
from sandbox.gemini.wire import MODES, Blob, Content, FunctionDeclaration, GeminiError, GenerateRequest, Part, invalid

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_BAD_NAME = (
    "Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), "
    "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
)  # seen
_CALL_ORDER = (
    "Please ensure that function call turn comes immediately after a user turn "
    "or after a function response turn."
)  # seen
_RESPONSE_ORDER = "Please ensure that function response turn comes immediately after a function call turn."  # seen
_RESPONSE_COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function call parts "
    "of the function call turn."
)  # seen
_MIME_TYPES = re.compile(
    r"image/(png|jpeg|webp|heic|heif)|audio/(wav|mp3|mpeg|aiff|aac|ogg|flac)|video/[a-z0-9.+-]+|application/pdf"
    r"|text/[a-z0-9.+-]+"
)
# The OpenAPI subset of `parameters`; plain JSON Schema belongs into `parameters_json_schema`.
_SCHEMA_FIELDS = frozenset(
    re.findall(
        r"\w+",
        """type format title description nullable enum maxItems max_items minItems min_items properties required
        minProperties min_properties maxProperties max_properties minLength min_length maxLength max_length pattern
        example anyOf any_of propertyOrdering property_ordering default items minimum maximum""",
    )
)


def check_request(model: str, request: GenerateRequest) -> None:
    """Raise the GeminiError with which the API would answer; return when a model may be asked."""
    if request.cached_content is not None:
        raise GeminiError(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)")
    contents = request.contents
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")  # seen
    for index, content in enumerate(contents):
        _check_content(f"contents[{index}]", content)
    if request.system_instruction is not None:
        _check_system(request.system_instruction)
    _check_turns(contents)
    check_declarations(request)
    if request.generation_config is not None:
        check_generation(model, request.generation_config)
    if demands_signatures(model):
        check_signatures(model, contents)


def _check_content(path: str, content: Content) -> None:
    if content.role not in (None, "user", "model"):
        raise invalid("Please use a valid role: user, model.")  # seen
    if not content.parts:
        raise invalid(f"* GenerateContentRequest.{path}.parts: contents.parts must not be empty.\n")  # seen
    for index, part in enumerate(content.parts):
        _check_part(f"{path}.parts[{index}]", part)


def _check_part(path: str, part: Part) -> None:
    fields = part.data_fields()
    if not fields or (fields == ["text"] and not part.text and not part.thought_signature):
        raise invalid(
            f"* GenerateContentRequest.{path}.data: required oneof field 'data' must have one initialized field\n"
        )  # seen
    if len(fields) > 1:
        raise invalid(f"Invalid value at '{path}' (oneof), oneof field 'data' is already set. Cannot set '{fields[1]}'")
    if part.thought_signature is not None and decode(part.thought_signature) is None:
        raise invalid(f"Invalid value at '{path}.thought_signature' (TYPE_BYTES), Base64 decoding failed")
    if part.inline_data is not None:
        _check_blob(path, part.inline_data)
    if part.function_call is not None and not part.function_call.name:
        raise invalid(f"* GenerateContentRequest.{path}.function_call.name: Name cannot be empty.\n")
    answer = part.function_response
    if answer is not None and not answer.name:
        raise invalid(f"* GenerateContentRequest.{path}.function_response.name: Name cannot be empty.\n")
    if answer is not None and not isinstance(answer.response, dict):
        shown = repr(answer.response)[:80]
        raise invalid(f"Invalid value at '{path}.function_response.response' (google.protobuf.Struct), {shown}")


def _check_blob(path: str, blob: Blob) -> None:
    if not _MIME_TYPES.fullmatch(blob.mime_type or ""):
        raise invalid(f"Unsupported MIME type: {blob.mime_type}")
    if not blob.data or decode(blob.data) is None:
        raise invalid(f"Invalid value at '{path}.inline_data.data' (TYPE_BYTES), Base64 decoding failed")


def _check_system(content: Content) -> None:
    _check_content("system_instruction", content)
    if any(part.text is None for part in content.parts or []):
        raise invalid("* GenerateContentRequest.system_instruction: only text is supported\n")


def _check_turns(contents: Sequence[Content]) -> None:
    if contents[-1].role == "model":
        raise invalid("Please ensure that multiturn requests end with a user role or a function response.")
    for index, content in enumerate(contents):
        before = contents[index - 1] if index else None
        if content.calls:
            _check_call_turn(before, content, contents[index + 1])
        if content.responses and (content.role == "model" or before is None or not before.calls):
            raise invalid(_RESPONSE_ORDER)


def _check_call_turn(before: Content | None, turn: Content, after: Content) -> None:
    if turn.role != "model" or before is None or before.role == "model":
        raise invalid(_CALL_ORDER)
    if len(after.responses) != len(turn.calls):
        raise invalid(_RESPONSE_COUNT)
    asked = sorted((call.id or "", call.name or "") for call in turn.calls)
    answered = sorted((answer.id or "", answer.name or "") for answer in after.responses)
    if asked != answered:
        raise invalid(
            "Please ensure that the id and name of each function response match those of a function call "
            f"of the function call turn: called {asked}, answered {answered}."
        )


def check_declarations(request: GenerateRequest) -> None:
    """Refuse names, schemas and modes that function calling does not take."""
    names: set[str] = set()
    for tool_index, tool in enumerate(request.tools or []):
        for index, one in enumerate(tool.function_declarations or []):
            path = f"tools[{tool_index}].function_declarations[{index}]"
            _check_declaration(path, one)
            if one.name in names:
                raise invalid(f"Duplicate function declaration found: {one.name}")  # seen
            names.add(one.name or "")
    _check_mode(request, names)


def _check_declaration(path: str, one: FunctionDeclaration) -> None:
    if not one.name or not _NAME.fullmatch(one.name):
        raise invalid(f"* GenerateContentRequest.{path}.name: {_BAD_NAME}\n")
    if one.parameters is not None and one.parameters_json_schema is not None:
        raise invalid(f"* GenerateContentRequest.{path}: set only one of parameters and parameters_json_schema\n")
    schema = one.parameters if one.parameters is not None else one.parameters_json_schema
    if schema is None:
        return
    if not isinstance(schema, dict) or str(schema.get("type", "")).lower() != "object":
        raise invalid(
            f"* GenerateContentRequest.{path}.parameters: "
            "functionDeclaration parameters schema should be of type OBJECT\n"
        )
    if one.parameters is not None:
        _check_openapi(f"{path}.parameters", one.parameters)


def _check_openapi(path: str, schema: dict[str, Any]) -> None:
    for name in schema:
        if name not in _SCHEMA_FIELDS:
            raise invalid(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
            )  # seen
    kind = schema.get("type")
    if isinstance(kind, list):
        raise invalid(
            f"Invalid JSON payload received. Unknown name \"type\" at '{path}': "
            "Proto field is not repeating, cannot start list."
        )  # seen
    properties = schema.get("properties") or {}
    if str(kind).upper() == "OBJECT" and not properties:
        raise invalid(f"* GenerateContentRequest.{path}.properties: should be non-empty for OBJECT type\n")  # seen
    if str(kind).upper() == "ARRAY" and not isinstance(schema.get("items"), dict):
        raise invalid(f"* GenerateContentRequest.{path}.items: missing field.\n")
    for index, child in enumerate(properties.values()):
        _check_openapi(f"{path}.properties[{index}].value", child)
    if isinstance(schema.get("items"), dict):
        _check_openapi(f"{path}.items", schema["items"])


def _check_mode(request: GenerateRequest, names: set[str]) -> None:
    calling = request.calling
    mode = calling.mode or "AUTO"
    if mode not in MODES:
        raise invalid(f"Invalid value at 'tool_config.function_calling_config.mode' (Mode), \"{mode}\"")
    if calling.allowed_function_names and mode not in ("ANY", "VALIDATED"):
        raise invalid("Allowed function names can only be set when the function calling mode is ANY or VALIDATED.")
    if mode == "ANY" and not names:
        raise invalid("Function calling config is set without function_declarations.")
    unknown = set(calling.allowed_function_names or ()) - names
    if unknown:
        raise invalid(f"Allowed function names not found in function declarations: {', '.join(sorted(unknown))}.")
