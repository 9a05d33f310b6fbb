"""One company's scope: its records and its CRM, opened in one place for messengers, `/process` and the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crm.base import BaseCRMAdapter, Capability
from crm.errors import CRMNotConfigured
from db.records import AgentSettings, Branch, BranchId, Company, CompanyId, CompanySnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyScope:
    """What handlers, tools and prompts may know of the company whose dialogue is being served.

    `open_crm` makes the adapter of one branch's account; it raises CRMNotConfigured where there is none.
    """

    snapshot: CompanySnapshot
    open_crm: Callable[[Branch], BaseCRMAdapter]

    @property
    def company(self) -> Company:
        return self.snapshot.company

    @property
    def agent(self) -> AgentSettings:
        return self.snapshot.agent

    @property
    def branches(self) -> tuple[Branch, ...]:
        return self.snapshot.branches

    @property
    def has_crm(self) -> bool:
        return self.snapshot.crm is not None and bool(self.branches)

    def can(self, *capabilities: Capability) -> bool:
        """Say whether the company's CRM can do all of these: all branches are accounts of one kind."""
        try:
            return self.has_crm and self.crm(self.branches[0].id).capabilities.issuperset(capabilities)
        except CRMNotConfigured:
            return False

    def branch(self, branch_id: BranchId) -> Branch:
        """Return a branch of this company. Raises CRMNotConfigured where it is gone."""
        for branch in self.branches:
            if branch.id == branch_id:
                return branch
        raise CRMNotConfigured("the branch is no longer there")

    def crm(self, branch_id: BranchId) -> BaseCRMAdapter:
        return self.open_crm(self.branch(branch_id))


class CompanyScopes(Protocol):
    async def open(self, company_id: CompanyId) -> CompanyScope:
        """Return the company's scope as of now. Raises NotFound for an unknown company."""
