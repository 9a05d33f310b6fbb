"""Who looks at the console: a member of a company's staff, with what they may and see."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Self
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.console.rights import Page, actor_of, may_open
from db.audit import Actor
from db.console import Token
from db.records import Branch, BranchId, CompanyId, CompanySnapshot
from db.staff import Role, StaffMember
from locales import Translator
from orchestration.staff_rules import Right, branches_of, may

_UTC = "UTC"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """`snapshot`: their company; `session`: what their cookie holds."""

    member: StaffMember
    snapshot: CompanySnapshot
    session: Token

    @property
    def company_id(self) -> CompanyId:
        return self.snapshot.company.id

    @property
    def actor(self) -> Actor:
        return actor_of(self.member)

    @cached_property
    def texts(self) -> Translator:
        return Translator.for_language(self.snapshot.agent.language)

    @cached_property
    def csrf(self) -> str:
        """Return what a form of this session must carry: made of the session's secret, which it does not give away."""
        return hmac.new(self.session.secret.encode(), b"csrf", sha256).hexdigest()

    def may(self, right: Right) -> bool:
        return may(self.member, right)

    def demand(self, right: Right) -> None:
        """Raise 403 where they may not."""
        if not self.may(right):
            raise web.HTTPForbidden

    def opens(self, page: Page) -> Self:
        """Return the visitor of a page. Raises 403 where it is not theirs."""
        if not may_open(self.member, page):
            raise web.HTTPForbidden
        return self

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """Return the branches that are theirs to see."""
        return branches_of(self.member, self.snapshot.branches)

    @property
    def only_branches(self) -> tuple[BranchId, ...] | None:
        """Return the branches that they are kept to; None: to none."""
        if self.member.role is Role.OWNER or not self.member.branches:
            return None
        return tuple(one.id for one in self.branches)

    @cached_property
    def zone(self) -> ZoneInfo:
        """Return the zone of the clock that is shown where no branch is meant."""
        branches = self.branches or self.snapshot.branches
        return ZoneInfo(branches[0].time_zone if branches else _UTC)

    def when(self, at: datetime, now: datetime) -> str:
        """Say a moment shortly: the time alone where it is today."""
        local = at.astimezone(self.zone)
        time = self.texts.time(local.time())
        if local.date() == now.astimezone(self.zone).date():
            return time
        return f"{self.texts.short_day(local.date())}, {time}"

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


_HERE = web.RequestKey("visitor", Visitor)


def visitor_of(request: web.Request) -> Visitor:
    """Return who is signed in. Behind the gate there always is somebody."""
    return request[_HERE]


def find_visitor(request: web.Request) -> Visitor | None:
    """Return who is signed in; None on the pages before the gate, where nobody need be."""
    return request.get(_HERE)


def let_in(request: web.Request, visitor: Visitor) -> None:
    request[_HERE] = visitor
