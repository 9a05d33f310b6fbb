"""Approved templates, and what a message made from one has to bring (Meta's pages on templates and their components).

Placeholders are positional, {{1}} {{2}}, or named, {{name}}. Not verified with Meta: which code it gives where a header
or a button lacks its parameter (here the same 132000 as for a body), and whether four spaces in a row pass, as its
words "more than 4" have it (here they do not).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.whatsapp.errors import Refused, missing, objects, wrong

Json = dict[str, Any]
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NO_PARAMETER = re.compile(r"[\n\r\t]| {4,}")
_LONGEST = 1024
_NOT_USABLE = {"PAUSED": 132015, "DISABLED": 132016}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as it was given in; usable while its status is APPROVED. `buttons` are quick replies."""

    name: str
    language: str
    body: str
    header: str = ""
    footer: str = ""
    buttons: tuple[str, ...] = ()
    category: str = "UTILITY"
    status: str = "APPROVED"

    @property
    def parameters(self) -> list[str]:
        """The places in the body, each once, in order."""
        return list(dict.fromkeys(_PLACE.findall(self.body)))

    def as_json(self, id_: str) -> Json:
        components: list[Json] = [{"type": "BODY", "text": self.body, **_example("body_text", self.body)}]
        if self.header:
            header = {"type": "HEADER", "format": "TEXT", "text": self.header}
            components.insert(0, {**header, **_example("header_text", self.header)})
        if self.footer:
            components.append({"type": "FOOTER", "text": self.footer})
        if self.buttons:
            components.append(
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": one} for one in self.buttons]}
            )
        named = any(not one.isdecimal() for one in self.parameters)
        return {
            "id": id_,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "parameter_format": "NAMED" if named else "POSITIONAL",
            "components": components,
        }


def _example(name: str, text: str) -> Json:
    """Return what Meta keeps of the words that were given as an example of each place."""
    places = list(dict.fromkeys(_PLACE.findall(text)))
    if not places:
        return {}
    if not all(place.isdecimal() for place in places):
        named = [{"param_name": place, "example": "пример"} for place in places]
        return {"example": {f"{name}_named_params": named}}
    words = ["пример"] * len(places)
    return {"example": {name: [words] if name == "body_text" else words}}


def check_template(content: Json, templates: dict[tuple[str, str], Template]) -> None:
    """Raise Refused where Meta would refuse the message."""
    language = content.get("language")
    name, language = content.get("name"), language.get("code") if isinstance(language, dict) else None
    if not name:
        raise missing("template.name")
    if not language:
        raise missing("template.language.code")
    template = templates.get((str(name), str(language)))
    if template is not None and template.status in _NOT_USABLE:
        # A template may be paused for its quality at any time.
        raise Refused(_NOT_USABLE[template.status], f"template {name!r} in {language!r}")
    if template is None or template.status != "APPROVED":
        raise Refused(132001, f"template {name!r} does not exist in {language!r}", broken=True)
    for part, text in (("header", template.header), ("body", template.body)):
        _check_part(part, text, _parameters(content, part))
    for component in objects(content.get("components"), "template.components"):
        kind = str(component.get("type")).lower()
        if kind not in ("header", "body", "button"):
            raise wrong(f"template.components.type {component.get('type')!r}")
        if kind == "button" and not str(component.get("index", "")).isdecimal():
            raise missing("template.components.index")
        if kind == "button" and str(component.get("sub_type", "")).lower() != "quick_reply":
            raise missing("template.components.sub_type")
        if kind == "button" and not any(
            one.get("payload") for one in objects(component.get("parameters"), "parameters")
        ):
            raise missing("template.components.parameters.payload")
        if kind == "button" and int(component["index"]) >= len(template.buttons):
            raise Refused(132000, f"the template has {len(template.buttons)} buttons", broken=True)


def filled(template: Template, content: Json) -> str:
    """Return the words as the person reads them."""
    parts = []
    for part, text in (("header", template.header), ("body", template.body)):
        values = dict(_named(text, _parameters(content, part)))
        parts.append(_PLACE.sub(lambda place, values=values: values[place[1]], text))  # type: ignore[misc]
    return "\n".join(part for part in (*parts, template.footer) if part)


def choices(template: Template, content: Json) -> list[Json]:
    """Return the quick replies; a tap brings the payload that the message gave, else the button's words."""
    payloads = {
        int(one["index"]): parameter["payload"]
        for one in content.get("components") or []
        if str(one.get("type")).lower() == "button"
        for parameter in one.get("parameters") or []
        if parameter.get("payload")
    }
    return [{"id": payloads.get(index, words), "title": words} for index, words in enumerate(template.buttons)]


def _parameters(content: Json, part: str) -> list[Json]:
    components = objects(content.get("components"), "template.components")
    found: Json = next((one for one in components if str(one.get("type")).lower() == part), {})
    return objects(found.get("parameters"), f"template.{part}.parameters")


def _check_part(part: str, text: str, parameters: list[Json]) -> None:
    places = list(dict.fromkeys(_PLACE.findall(text)))
    if len(parameters) != len(places):
        raise Refused(132000, f"{part}: expected {len(places)} parameters, got {len(parameters)}", broken=True)
    for parameter in parameters:
        if parameter.get("type") != "text":
            raise Refused(132012, f"{part}: a parameter must be text", broken=True)
        value = parameter.get("text")
        if not isinstance(value, str) or not value:
            raise missing(f"{part} parameter")
        if len(value) > _LONGEST:
            raise wrong(f"{part} parameter: {len(value)} characters, at most {_LONGEST}")
        if _NO_PARAMETER.search(value):
            raise wrong("Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    if {place for place, _ in _named(text, parameters)} != set(places):
        raise Refused(132012, f"{part}: parameter names do not match {places}", broken=True)


def _named(text: str, parameters: list[Json]) -> list[tuple[str, str]]:
    """Pair each place with its words: by `parameter_name`, else in order."""
    places = list(dict.fromkeys(_PLACE.findall(text)))
    if all(place.isdecimal() for place in places):
        return [(place, one["text"]) for place, one in zip(sorted(places, key=int), parameters, strict=False)]
    return [(str(one.get("parameter_name")), one["text"]) for one in parameters]
