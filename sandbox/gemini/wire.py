"""The JSON of generateContent: what a request may hold, in camelCase or snake_case, and Google's error envelope.

Field names are those of the public API; an unknown one is refused as proto JSON refuses it.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic.alias_generators import to_camel, to_snake

Json: TypeAlias = dict[str, JsonValue]

MODES = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")


class GeminiError(Exception):
    """Stands for one error answer: HTTP code, google.rpc status, message and details."""

    def __init__(self, code: int, status: str, message: str, details: Sequence[Json] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = list(details)

    def body(self) -> Json:
        """Return the envelope as it goes over the wire."""
        error: Json = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def invalid(message: str, details: Sequence[Json] = ()) -> GeminiError:
    """Make the 400 INVALID_ARGUMENT that most refusals are."""
    return GeminiError(400, "INVALID_ARGUMENT", message, details)


class Wire(BaseModel):
    """Reads both spellings of a field, as proto JSON does, and refuses names it does not know."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True, frozen=True)


WireT = TypeVar("WireT", bound=Wire)


class Blob(Wire):
    mime_type: str | None = None
    data: str | None = None
    display_name: str | None = None


class FunctionCall(Wire):
    id: str | None = None
    name: str | None = None
    args: dict[str, Any] | None = None
    partial_args: Any = None
    will_continue: bool | None = None


class FunctionResponse(Wire):
    id: str | None = None
    name: str | None = None
    response: Any = None
    parts: Any = None
    will_continue: bool | None = None
    scheduling: str | None = None


class Part(Wire):
    """One part of a content; exactly one of the fields of DATA is set."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: Any = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    tool_call: Any = None
    tool_response: Any = None
    thought: bool | None = None
    thought_signature: str | None = None
    video_metadata: Any = None
    media_resolution: Any = None
    part_metadata: Any = None

    def data_fields(self) -> list[str]:
        """Name the data that is set; the API demands exactly one."""
        return [name for name in DATA if getattr(self, name) is not None]


DATA = (
    "text",
    "inline_data",
    "file_data",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
    "tool_call",
    "tool_response",
)


class Content(Wire):
    role: str | None = None
    parts: list[Part] | None = None

    @property
    def calls(self) -> list[FunctionCall]:
        return [part.function_call for part in self.parts or [] if part.function_call]

    @property
    def responses(self) -> list[FunctionResponse]:
        return [part.function_response for part in self.parts or [] if part.function_response]

    @property
    def text(self) -> str:
        """Join the written parts, thoughts left out."""
        return "\n".join(part.text for part in self.parts or [] if part.text and not part.thought)


class FunctionDeclaration(Wire):
    name: str | None = None
    description: str | None = None
    parameters: Any = None
    parameters_json_schema: Any = None
    response: Any = None
    response_json_schema: Any = None
    behavior: str | None = None


class Tool(Wire):
    function_declarations: list[FunctionDeclaration] | None = None
    google_search: Any = None
    google_search_retrieval: Any = None
    google_maps: Any = None
    code_execution: Any = None
    url_context: Any = None
    computer_use: Any = None
    file_search: Any = None
    mcp_servers: Any = None


class FunctionCallingConfig(Wire):
    mode: str | None = None
    allowed_function_names: list[str] | None = None
    stream_function_call_arguments: bool | None = None


class ToolConfig(Wire):
    function_calling_config: FunctionCallingConfig | None = None
    retrieval_config: Any = None
    include_server_side_tool_invocations: bool | None = None


class ThinkingConfig(Wire):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class GenerationConfig(Wire):
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    thinking_config: ThinkingConfig | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str | None = None
    response_schema: Any = None
    response_json_schema: Any = None
    response_modalities: list[str] | None = None
    response_format: Any = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    media_resolution: str | None = None
    speech_config: Any = None
    image_config: Any = None
    audio_transcription_config: Any = None
    enable_enhanced_civic_answers: bool | None = None


class SafetySetting(Wire):
    category: str
    threshold: str


class GenerateRequest(Wire):
    """The body of generateContent and streamGenerateContent, parsed; what a policy is given."""

    model: str | None = None
    contents: list[Content] | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    generation_config: GenerationConfig | None = None
    cached_content: str | None = None
    service_tier: str | None = None
    labels: dict[str, str] | None = None
    store: bool | None = None

    @property
    def declarations(self) -> list[FunctionDeclaration]:
        return [one for tool in self.tools or [] for one in tool.function_declarations or []]

    @property
    def calling(self) -> FunctionCallingConfig:
        return (self.tool_config and self.tool_config.function_calling_config) or FunctionCallingConfig()

    @property
    def callable_declarations(self) -> list[FunctionDeclaration]:
        """List the functions that the mode lets the model call now."""
        if self.calling.mode == "NONE":
            return []
        allowed = self.calling.allowed_function_names
        return [one for one in self.declarations if not allowed or one.name in allowed]


class CountRequest(Wire):
    contents: list[Content] | None = None
    generate_content_request: GenerateRequest | None = None


Policy: TypeAlias = Callable[[GenerateRequest], Sequence[Part] | Awaitable[Sequence[Part]]]


def text_part(text: str) -> Part:
    """Make what a policy returns to say something."""
    return Part(text=text)


def call_part(name: str, args: dict[str, Any]) -> Part:
    """Make what a policy returns to call a function; the server adds id and signature."""
    return Part(function_call=FunctionCall(name=name, args=args))


def parse(model: type[WireT], document: object) -> WireT:
    """Read a request body; raise GeminiError in proto JSON's words when it does not fit."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        lines = [_violation(dict(one)) for one in error.errors(include_url=False, include_context=False)]
        violations: list[JsonValue] = [{"field": field, "description": text} for field, text in lines]
        detail: Json = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
        raise invalid("\n".join(text for _, text in lines), [detail]) from error


def _violation(error: dict[str, Any]) -> tuple[str, str]:
    path = field_path(error["loc"])
    if error["type"] == "extra_forbidden":
        owner, name = field_path(error["loc"][:-1]), error["loc"][-1]
        where = f" at '{owner}'" if owner else ""
        return owner, f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
    kind = "TYPE_STRING" if error["type"] == "string_type" else "value"
    shown = repr(error["input"])[:120]
    return path, f"Invalid value at '{path}' ({kind}), {shown}"


def field_path(loc: Sequence[str | int]) -> str:
    """Write a location as Google does: contents[0].parts[1].function_call."""
    joined = "".join(f"[{step}]" if isinstance(step, int) else f".{to_snake(step)}" for step in loc)
    return re.sub(r"^\.", "", joined)
