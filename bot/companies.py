"""A company's file into the stores and back."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from bot.company_file import CompanyFile
from db.companies import Companies
from db.errors import NotFound
from db.people_settings import DRAFT
from db.records import AgentSettings, Branch, BranchId, Company, CompanyId, CompanySnapshot, new_id

_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        (*"abvgdee", "zh", *"ziyklmnoprstufh", "ts", "ch", "sh", "sch", "-", "y", "-", "e", "yu", "ya"),
        strict=True,
    )
)


async def create_from_file(
    companies: Companies, *, name: str, slug: str | None, file: CompanyFile | None, careful: bool = False
) -> Company:
    """Create a company, with everything that its file says. Raises Conflict where the slug is taken.

    `careful`: where staff have a chat and the file chooses no mode, they look at each of the agent's words first.
    """
    chosen = slug or (file.slug if file else None) or slug_of(name)
    company = Company(
        id=CompanyId(new_id()),
        slug=chosen,
        name=name,
        email=file.email if file else None,
        plan=file.plan if file else "free",
        channels=file.channels if file else (),
    )
    main = Branch(id=BranchId(new_id()), key="main", name=name, time_zone="Europe/Moscow")
    branches = file.branches if file else (main,)
    agent = file.agent if file else AgentSettings()
    if careful and file is not None and not file.chooses_mode and any(one.staff_chat for one in branches):
        agent = replace(agent, mode=DRAFT)
    await companies.create_company(company, agent, branches)
    await _set_crm(companies, company.id, file)
    return company


async def replace_from_file(companies: Companies, file: CompanyFile, *, careful: bool = False) -> Company:
    """Create the company, or replace its records; its CRM's secrets and its channels stay as they are."""
    slug = file.slug or slug_of(file.name)
    try:
        company_id = await companies.get_company_id(slug)
    except NotFound:
        return await create_from_file(companies, name=file.name, slug=slug, file=file, careful=careful)
    company = Company(
        id=company_id, slug=slug, name=file.name, email=file.email, plan=file.plan, channels=file.channels
    )
    await companies.replace_company(company, file.agent, file.branches)
    await _set_crm(companies, company_id, file)
    return company


async def _set_crm(companies: Companies, company_id: CompanyId, file: CompanyFile | None) -> None:
    """Keep the file's CRM and its open options; its secrets stay, or are asked for by `crm set`."""
    if file is None or file.crm_type is None:
        return
    standing = (await companies.get_snapshot(company_id)).crm
    same = standing is not None and standing.type == file.crm_type
    secrets = companies.crm_secrets(company_id, standing) if standing and same else {}
    await companies.set_crm(company_id, file.crm_type, options=file.crm_options, secrets=secrets)


def file_of(snapshot: CompanySnapshot) -> CompanyFile:
    """Return what `company export` writes."""
    company = snapshot.company
    crm = snapshot.crm
    return CompanyFile(
        slug=company.slug,
        name=company.name,
        email=company.email,
        plan=company.plan,
        agent=snapshot.agent,
        branches=snapshot.branches,
        crm_type=crm.type if crm else None,
        crm_options=dict(sorted(crm.options.items())) if crm else {},
        channels=company.channels,
    )


def slug_of(name: str) -> str:
    """Make a short name for commands out of a company's name, Russian letters spelt out."""
    latin = "".join(_LATIN.get(letter, letter) for letter in unicodedata.normalize("NFC", name.lower()))
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:63] or "company"
