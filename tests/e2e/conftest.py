"""Processes of our own, as a person starts them who has set nothing."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest


@pytest.fixture
def start(settings, tmp_path):
    """Start `ai-admin` in the folder and on the stores of this test."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AI_ADMIN_")},
        "AI_ADMIN_DATABASE_URL": settings.database_url,
        "AI_ADMIN_REDIS_URL": settings.redis_url,
        "AI_ADMIN_DATA_DIR": str(settings.data_dir),
        "NO_COLOR": "1",
    }

    async def begin(*arguments):
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=tmp_path
        )

    return begin
