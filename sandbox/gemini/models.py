"""The models this server knows (Google's list of 23 November 2026) and what each of them takes."""

from sandbox.gemini.wire import GeminiError, GenerationConfig, Json, invalid

SERVED = (
    "gemini-4-argon",
    "gemini-3.8-flash",
    "gemini-3.7-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
)
BETA_ALIASES = ("gemini-flash-latest", "gemini-flash-lite-latest", "gemini-pro-latest")
METHODS = ("generateContent", "streamGenerateContent", "countTokens")
_PICTURE_TOKENS = {"LOW": 280, "MEDIUM": 560, "HIGH": 1120}
_PICTURE_TOKENS_BEFORE = {"LOW": 64, "MEDIUM": 258, "HIGH": 258}
_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")


def check_model(name: str, *, version: str, method: str) -> None:
    """Refuse a model that is unknown, retired, or served on the other API version only."""
    if name in SERVED or (version == "v1beta" and name in BETA_ALIASES):
        return
    raise GeminiError(
        404,
        "NOT_FOUND",
        f"models/{name} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def list_models(version: str) -> list[str]:
    """List the names that this API version serves."""
    return [*SERVED, *(BETA_ALIASES if version == "v1beta" else ())]


def describe_model(name: str) -> Json:
    """Return what models.get says; the display name admits that a script stands behind it."""
    return {
        "name": f"models/{name}",
        "version": "sandbox",
        "displayName": "scripted model (sandbox)",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": list(METHODS),
    }


def demands_signatures(name: str) -> bool:
    """Tell whether function calls must come back signed: yes from the third generation on."""
    return not name.startswith("gemini-2.")


def cache_minimum(name: str) -> int:
    """Return how many tokens a common prefix needs before the implicit cache serves it."""
    return 2048 if name.startswith("gemini-2.5") else 4096


def picture_tokens(name: str, resolution: str) -> int:
    """Return what a picture costs at a media resolution ("" or MEDIA_RESOLUTION_UNSPECIFIED: the highest)."""
    costs = _PICTURE_TOKENS_BEFORE if name.startswith("gemini-2.") else _PICTURE_TOKENS
    return costs.get(resolution.removeprefix("MEDIA_RESOLUTION_"), costs["HIGH"])


def check_generation(name: str, config: GenerationConfig) -> None:
    """Refuse settings this model does not take; sampling parameters are deprecated, yet accepted within range."""
    if config.temperature is not None and not 0 <= config.temperature <= 2:
        raise invalid(
            f"* GenerateContentRequest.generation_config.temperature: {config.temperature} is not in [0, 2]\n"
        )
    if config.top_p is not None and not 0 <= config.top_p <= 1:
        raise invalid(f"* GenerateContentRequest.generation_config.top_p: {config.top_p} is not in [0, 1]\n")
    if config.max_output_tokens is not None and config.max_output_tokens < 1:
        raise invalid("* GenerateContentRequest.generation_config.max_output_tokens: must be positive\n")
    if config.candidate_count not in (None, 1):
        raise invalid("Multiple candidates is not enabled for this model")
    thinking = config.thinking_config
    if thinking is None or thinking.thinking_level is None:
        return
    if thinking.thinking_budget is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    level = thinking.thinking_level.upper()
    if level not in _LEVELS:
        raise invalid(f"Invalid value at 'generation_config.thinking_config.thinking_level', \"{level}\"")
    if name.startswith("gemini-2.") or (name == "gemini-3.8-flash" and level in ("MINIMAL", "XHIGH")):
        raise invalid(f"Thinking level {level} is not supported for this model.")
