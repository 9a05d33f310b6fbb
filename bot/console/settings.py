"""The company's settings, and a preview: the agent is asked as it would answer by what stands in the form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiohttp import web

from bot.company_editing import (
    AGENT_FIELDS,
    OUTREACH_FIELDS,
    PEOPLE_FIELDS,
    PRIVACY_FIELDS,
    FieldFaults,
    edited,
    fields_of,
    version_of,
)
from bot.console.preview import LONGEST_QUESTION, Preview
from bot.console.rights import Page
from bot.console.screens import page
from bot.console.visitor import Visitor, visitor_of
from db.errors import Conflict
from db.records import CompanySnapshot, new_id
from locales import languages

if TYPE_CHECKING:
    from bot.app import Core

_LONG = frozenset(
    {"description", "highlights", "target_audience", "instructions", "people.topics", "privacy.notice_text"}
)
_WHETHER = frozenset({"tell_clients_of_crm_changes", "outreach.waiting_list", "outreach.thank_you"})
_WHETHER_OR_UNSET = frozenset({"privacy.notice", "privacy.hide_from_model"})
_MODES = ("always", "if_unanswered", "off_hours", "draft")
_NUMBERS = frozenset(
    {
        "quiet_seconds",
        "most_open_bookings",
        "outreach.thank_you_after_hours",
        "outreach.win_back_weeks",
        *(one for one in PEOPLE_FIELDS if one.endswith(("_minutes", "_hours"))),
        *(one for one in PRIVACY_FIELDS if "keep_days" in one),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """`kind`: long, short, number or choice. `choices`: values and the keys of their words."""

    name: str
    kind: str
    value: str
    choices: Sequence[tuple[str, str]] = ()
    fault: bool = False

    @property
    def key(self) -> str:
        """Return the key of its words."""
        return self.name.replace(".", "-").replace("_", "-")


class SettingsPages:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._preview = Preview(core)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/settings", self._show),
            web.post("/settings", self._save),
            web.post("/settings/ask", self._ask),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        snapshot = await self._core.companies.get_snapshot(visitor.company_id)
        return _page(request, visitor, snapshot, fields_of(snapshot.agent), saved="saved" in request.query)

    async def _save(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        form, snapshot = await request.post(), await self._core.companies.get_snapshot(visitor.company_id)
        given = _given(form)
        shown = {**fields_of(snapshot.agent), **given}
        if form.get("version") != version_of(snapshot.agent):
            return _page(request, visitor, snapshot, shown, told="console-settings-changed", status=409)
        try:
            agent = edited(snapshot.agent, given)
            await self._core.companies.set_agent(
                visitor.company_id, agent, actor=visitor.actor, instead_of=snapshot.agent
            )
        except FieldFaults as error:
            told = "console-settings-faults"
            return _page(request, visitor, snapshot, shown, told=told, faults=error.names, status=400)
        except Conflict:
            return _page(request, visitor, snapshot, shown, told="console-settings-changed", status=409)
        self._core.directory.forget(visitor.company_id)
        raise web.HTTPSeeOther("/console/settings?saved=1")

    async def _ask(self, request: web.Request) -> web.Response:
        """Ask the agent as it would be by the form, and show what it says under what it was asked."""
        visitor = _allowed(request)
        form = await request.post()
        question, pressed = str(form.get("question", "")).strip(), str(form.get("action", ""))
        try:
            talk = UUID(str(form.get("talk", "")))
        except ValueError:
            raise web.HTTPBadRequest from None
        if not question or len(question) > LONGEST_QUESTION or len(pressed) > LONGEST_QUESTION:
            raise web.HTTPBadRequest
        snapshot = await self._core.companies.get_snapshot(visitor.company_id)
        given = _given(form)
        try:
            edited(snapshot.agent, given)
        except FieldFaults as error:
            names = [visitor.texts.text(f"console-field-{_key(name)}") for name in error.names]
            return page(request, "_asked.html", question=question, faults=names, replies=[], silent=False, talk=talk)
        replies = await self._preview.ask(visitor, talk, question, action=pressed or None, draft=given)
        return page(
            request, "_asked.html", question=question, faults=[], replies=replies or [], silent=replies is None,
            talk=talk,
        )  # fmt: skip


def _allowed(request: web.Request) -> Visitor:
    return visitor_of(request).opens(Page.SETTINGS)


def _given(form: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that may be changed here; others that somebody put into the form count nothing."""
    return {
        name: str(form[name])
        for name in (*AGENT_FIELDS, *PEOPLE_FIELDS, *OUTREACH_FIELDS, *PRIVACY_FIELDS)
        if name in form
    }


def _page(
    request: web.Request,
    visitor: Visitor,
    snapshot: CompanySnapshot,
    values: Mapping[str, str],
    *,
    told: str = "",
    faults: Collection[str] = (),
    saved: bool = False,
    status: int = 200,
) -> web.Response:
    def fields(names: Sequence[str]) -> list[_Field]:
        return [_field(name, values[name], fault=name in faults) for name in names]

    return page(
        request,
        "settings.html",
        status=status,
        title=visitor.texts.text("console-settings"),
        agent_fields=fields(AGENT_FIELDS),
        people_fields=fields(PEOPLE_FIELDS),
        outreach_fields=fields(OUTREACH_FIELDS),
        privacy_fields=fields(PRIVACY_FIELDS),
        crm=_crm(snapshot),
        version=version_of(snapshot.agent),
        told=told,
        saved=saved,
        talk=new_id(),
        longest=LONGEST_QUESTION,
    )


def _field(name: str, value: str, *, fault: bool) -> _Field:
    choices: list[tuple[str, str]] = []
    if name == "language":
        choices = [(one, f"console-language-{one}") for one in sorted(languages())]
    elif name == "mode":
        choices = [(one, f"console-mode-{one.replace('_', '-')}") for one in _MODES]
    elif name in _WHETHER | _WHETHER_OR_UNSET:
        choices = [("true", "console-yes"), ("false", "console-no")]
        if name in _WHETHER_OR_UNSET:
            choices.insert(0, ("", "console-as-usual"))
    kind = "choice" if choices else "long" if name in _LONG else "number" if name in _NUMBERS else "short"
    return _Field(name=name, kind=kind, value=value, choices=choices, fault=fault)


def _key(name: str) -> str:
    return _Field(name=name, kind="", value="").key


def _crm(snapshot: CompanySnapshot) -> Mapping[str, Any]:
    """Return what is open of the CRM's settings; secrets are never shown."""
    crm = snapshot.crm
    return {"type": crm.type if crm else "", "options": sorted(crm.options.items()) if crm else []}
