"""What is written down of a company, its CRM and its channels: settings by their names, of secrets the names alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from db.catalogue_json import hours_to_json, product_to_json, question_to_json, service_to_json
from db.outreach_settings import outreach_to_json
from db.privacy import privacy_to_json
from db.quiet_hours import quiet_to_json
from db.records import AgentSettings, Branch, Channel, Company


def told_of_company(company: Company, agent: AgentSettings, branches: Sequence[Branch] | None = None) -> dict[str, Any]:
    """Return a company's settings field by field, and each branch by its key."""
    told: dict[str, Any] = {
        "slug": company.slug,
        "name": company.name,
        "email": company.email,
        "plan": company.plan,
        "channels": [one.value for one in company.channels],
        **{f"agent.{name}": value for name, value in _agent(agent).items()},
    }
    for branch in branches or ():
        for name, value in asdict(branch).items():
            if name not in ("id", "key", "hours"):
                told[f"branch.{branch.key}.{name}"] = value
        told[f"branch.{branch.key}.hours"] = hours_to_json(branch.hours)
    return told


def _agent(agent: AgentSettings) -> dict[str, Any]:
    return {
        **{
            name: getattr(agent, name)
            for name in AgentSettings.__slots__
            if name not in ("budget", "policies", "privacy", "outreach", "reminders", "quiet_hours")
        },
        "services": [service_to_json(service) for service in agent.services],
        "products": [product_to_json(product) for product in agent.products],
        "faq": [question_to_json(question) for question in agent.faq],
        "policies": [list(pair) for pair in agent.policies.items()],
        "budget": [agent.budget.soft, agent.budget.hard],
        "privacy": privacy_to_json(agent.privacy),
        "outreach": outreach_to_json(agent.outreach),
        "reminders": agent.reminders,
        "quiet_hours": quiet_to_json(agent.quiet_hours),
    }


def told_of_crm(type_: str, options: Mapping[str, str], changed_secrets: Iterable[str]) -> dict[str, Any]:
    """Return a CRM's type and open options; of its secrets, which were changed."""
    return {
        "type": type_,
        **{f"option.{name}": value for name, value in options.items()},
        **{f"secret.{name}": "changed" for name in changed_secrets},
    }


def told_of_channel(channel: Channel, secrets: Iterable[str]) -> dict[str, Any]:
    """Return a channel's open settings, and the names of its secrets."""
    return {
        "type": channel.type.value,
        "name": channel.name,
        "external_id": channel.external_id,
        **{f"option.{name}": value for name, value in channel.options.items()},
        **{f"secret.{name}": "set" for name in secrets},
    }
