"""The names of a WhatsApp channel's open options."""

from __future__ import annotations

TEMPLATE = "template"
"""An approved template for what comes too late for free words: {"name", "language", "takes_text"}."""
TEMPLATES = "templates"
"""Templates for what has one of its own, each by what it is for: {"reminder": {"name", "language", "buttons"}}."""
