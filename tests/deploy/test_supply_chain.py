"""What an installation is made of: pinned by hash, listed, looked through for known holes, packed without root."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from importlib import util
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_version_and_hashes_and_no_index_is_named(name):
    text = (ROOT / name).read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry]

    assert len(entries) > 50
    for entry in entries:
        assert PINNED.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert not re.search(r"https?://|--index|@ ", text)


# ---- known vulnerabilities

AUDIT = """#!/bin/sh
cat <<'REPORT'
{report}
REPORT
exit {code}
"""
CLEAN = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
KNOWN = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"], "description": "d"}]}
SKIPPED = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.fixture
def audit(tmp_path, capsys):
    """Run deploy/audit.py with a pip-audit that reports what the test says; return the exit code and the words."""
    found = util.spec_from_file_location("audit", ROOT / "deploy" / "audit.py")
    module = util.module_from_spec(found)
    sys.modules["audit"] = module
    found.loader.exec_module(module)

    def run(report, *, code=0):
        command = tmp_path / "pip-audit"
        command.write_text(AUDIT.format(report=report, code=code))
        command.chmod(0o755)
        return module.main(["the.lock"], command=str(command)), capsys.readouterr().out

    yield run
    del sys.modules["audit"]


def test_a_known_vulnerability_fails_and_is_named(audit):
    code, said = audit(json.dumps({"dependencies": [CLEAN, KNOWN, SKIPPED]}), code=1)

    assert code == 1
    assert "2 packages audited, 1 unknown there and not audited, 1 known vulnerabilities" in said
    assert "old 1.0: PYSEC-1, mended in 1.1" in said


def test_nothing_known_passes(audit):
    assert audit(json.dumps({"dependencies": [CLEAN]})) == (
        0,
        "the.lock: 1 packages audited, 0 known vulnerabilities\n",
    )


@pytest.mark.parametrize(
    "report", ["", "Traceback", "{}", "[]", json.dumps({"dependencies": [SKIPPED]}), json.dumps({"dependencies": [7]})]
)
def test_where_nobody_could_be_asked_it_says_so_and_claims_nothing(audit, report):
    code, said = audit(report, code=1 if report == "Traceback" else 0)

    assert code == 0
    assert "not audited, the source of known vulnerabilities was not reachable" in said
    assert "0 known" not in said


def test_every_run_of_ci_asks():
    assert "make audit" in (ROOT / ".ci" / "run").read_text()


# ---- the list of what is in it


async def test_the_list_holds_every_locked_package_with_its_hashes_and_keeps_to_the_schema(tmp_path):
    recipe = re.search(r"cyclonedx_py (.+?)-o dist", (ROOT / "Makefile").read_text(), re.DOTALL)
    arguments = recipe[1].replace("\\\n", " ").split()
    written = []
    for name in ("one.json", "two.json"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *arguments, "-o", str(tmp_path / name)),
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        written.append((tmp_path / name).read_text())
    listed = json.loads(written[0])

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written[0]) is None
    assert written[0] == written[1], "the same lock file gives the same list"
    assert listed["metadata"]["component"]["name"] == "ai-admin"
    locked = set(PINNED.findall((ROOT / "requirements.lock").read_text()))
    assert {(one["name"], one["version"]) for one in listed["components"]} == locked
    for one in listed["components"]:
        assert any(given.get("hashes") for given in one["externalReferences"]), one["name"]


# ---- the image: read, as there is nothing here that could build it


@pytest.fixture
def dockerfile():
    """The instructions, in order."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_the_image_is_pinned_and_takes_nothing_from_the_net_but_by_hash(dockerfile):
    base, uv = (value for name, value in dockerfile if name == "ARG")
    froms = [value for name, value in dockerfile if name == "FROM"]
    runs = " ".join(value for name, value in dockerfile if name == "RUN")

    assert re.fullmatch(r"BASE=python:\d+\.\d+\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    assert re.fullmatch(r"UV=ghcr\.io/astral-sh/uv:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", uv)
    assert froms == ["${UV} AS uv", "${BASE} AS build", "${BASE}"]
    assert "ADD" not in {name for name, _ in dockerfile}
    assert not re.search(r"https?:|curl|wget|apt-get|git ", runs)
    installs = [one for one in runs.split("&&") if "pip install" in one]
    assert len(installs) == 2
    assert all("--require-hashes" in one and "--no-deps" in one and "--only-binary=:all:" in one for one in installs)
    assert "--no-build-isolation" in installs[1], "what has no wheel is built with locked tools"


def test_the_image_runs_as_nobody_and_writes_nothing(dockerfile):
    names = [name for name, _ in dockerfile]
    last = dockerfile[len(names) - 1 - names[::-1].index("FROM") :]
    [user] = [value for name, value in last if name == "USER"]

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), (
        "by number, so that an orchestrator can see that it is not root"
    )
    assert "RUN" not in {name for name, _ in last}, "no shell is needed where it runs"
    owned = [value for name, value in last if name == "COPY" and "--chown" in value]
    assert owned == ["--from=build --chown=10001:10001 /data /data"], "all else is root's, and read-only"
    assert [value for name, value in last if name == "STOPSIGNAL"] == ["SIGTERM"]
    assert all(value.startswith("[") for name, value in last if name in ("ENTRYPOINT", "CMD"))
    assert all("CMD [" in value for name, value in last if name == "HEALTHCHECK")
    assert "PYTHONDONTWRITEBYTECODE=1" in " ".join(value for name, value in last if name == "ENV")
    assert "AI_ADMIN_MODE=production" in " ".join(value for name, value in last if name == "ENV")


def test_the_image_holds_the_program_and_neither_secrets_nor_the_vendors_doubles(dockerfile):
    copied = {value.split()[0] for name, value in dockerfile if name == "COPY" and "--from" not in value}
    packages = {"bot", "crm", "db", "handlers", "locales", "middlewares", "orchestration"}
    kept_out = (ROOT / ".dockerignore").read_text().split()

    assert copied == packages | {"requirements.lock", "pyproject.toml"}
    assert {".env", ".env.*", ".git", ".ai-admin"} <= set(kept_out)
