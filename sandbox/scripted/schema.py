"""Makes a call's arguments fit the JSON schema that the tool declares."""

from typing import Any

from sandbox.gemini.wire import FunctionDeclaration


def fit_arguments(tool: FunctionDeclaration, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Return the wanted arguments that the schema knows, in its types; None when a required one is missing."""
    schema = tool.parameters_json_schema if tool.parameters_json_schema is not None else tool.parameters
    if not isinstance(schema, dict):
        return {}
    properties = schema.get("properties") or {}
    fitted: dict[str, Any] = {}
    for name, value in wanted.items():
        if name in properties and value is not None:
            converted = _fit(value, properties[name])
            if converted is not None:
                fitted[name] = converted
    return fitted if all(name in fitted for name in schema.get("required") or ()) else None


def _fit(value: Any, schema: dict[str, Any]) -> Any:
    """Convert one value to one schema; None when it cannot be."""
    for option in schema.get("anyOf") or schema.get("any_of") or schema.get("oneOf") or ():
        if (converted := _fit(value, option)) is not None:
            return converted
    declared = schema.get("type", "string")
    kinds = [str(kind).lower() for kind in (declared if isinstance(declared, list) else [declared])]
    for kind in kinds:
        converted = _convert(value, kind, schema)
        if converted is not None and converted in (schema.get("enum") or [converted]):
            return converted
    return None


def _convert(value: Any, kind: str, schema: dict[str, Any]) -> Any:
    if kind == "array":
        items = [_fit(one, schema.get("items") or {}) for one in (value if isinstance(value, list) else [value])]
        return items if items and None not in items else None
    if isinstance(value, list):
        return _convert(value[0], kind, schema) if len(value) == 1 else None
    if kind == "string":
        return str(value)[: schema.get("maxLength")] if isinstance(value, str | int | float) else None
    if kind in ("integer", "number") and str(value).lstrip("-").isdigit():
        return int(value)
    if kind == "boolean" and isinstance(value, bool):
        return value
    return value if kind == "object" and isinstance(value, dict) else None
