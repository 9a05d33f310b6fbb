"""compose.yaml: read by docker compose itself where it is installed, and held against the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.settings import PREFIX, Settings, load_settings
from db.crypto import new_master_key

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
OURS = ("migrate", "gateway", "worker", "voice")
STORES = ("postgres", "pgbouncer", "redis", "caddy", "prometheus", "alertmanager", "grafana")


def given() -> dict[str, str]:
    """What the operator fills in: every name that env.example leaves empty."""
    example = (ROOT / "deploy/compose/env.example").read_text()
    names = re.findall(r"^([A-Z_]+)=$", example, re.MULTILINE)
    values = {name: f"given-{name.lower().replace('_', '-')}" for name in names}
    return {**values, "DOMAIN": "bots.example.org", "AI_ADMIN_MASTER_KEYS": new_master_key()}


def substituted(text: str, values: dict[str, str]) -> str:
    """Fill in ${NAME}, ${NAME:-default} and ${NAME:?} as the Compose specification (Interpolation) says."""

    def fill(match: re.Match[str]) -> str:
        name, kind, default = match[1], match[2], match[3] or ""
        if not values.get(name):
            assert kind != "?", f"{name} is required"
            return default
        return values[name]

    return re.sub(r"(?<!\$)\$\{([A-Z_]+)(?::([-?])([^}]*))?\}", fill, text)


@pytest.fixture
def services() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(substituted(TEXT, given()))["services"])


def client() -> list[str]:
    """Return the words of docker compose: the plug-in, or Debian's program of before."""
    if docker := shutil.which("docker"):
        asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return [docker, "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    reason = "no docker compose here: deploy/checkers.sh installs it"
    if os.environ.get("AI_ADMIN_DEPLOY_TEST") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def config(folder: Path, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (folder / "compose.yaml").write_text(TEXT)
    command = [*client(), "-f", str(folder / "compose.yaml"), "--profile", "calls", "--profile", "pgbouncer", "config"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **values}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_docker_compose_takes_it_and_knows_every_service(tmp_path):
    done = config(tmp_path, given())

    assert done.returncode == 0, done.stderr
    assert set(YAML(typ="safe").load(done.stdout)["services"]) == {*OURS, *STORES}


@pytest.mark.parametrize("name", sorted(given()))
def test_nothing_starts_where_a_secret_or_the_name_is_missing(name):
    with pytest.raises(AssertionError, match=f"{name} is required"):
        substituted(TEXT, {**given(), name: ""})


def test_docker_compose_names_what_is_missing_too(tmp_path):
    done = config(tmp_path, {**given(), "LOGIN_PASSWORD": ""})

    assert done.returncode != 0
    assert "LOGIN_PASSWORD" in done.stderr


def test_no_password_has_a_default():
    assert re.findall(r"\$\{[A-Z_]*(?:PASSWORD|KEYS?|TOKEN)[A-Z_]*(?::-[^}]*)?\}", TEXT) == []
    assert not re.search(r"(?i)(password|token|secret)[a-z_]*: *['\"]?[a-z0-9]{4,}", TEXT)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_given_is_one_and_the_program_starts_with_them(services, name, monkeypatch):
    for variable in os.environ:
        if variable.startswith(PREFIX):
            monkeypatch.delenv(variable)
    environment = {**services[name]["environment"], f"{PREFIX}MODE": "production"}
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)

    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    assert set(environment) <= known
    settings = load_settings(environment, env_file=None)
    assert settings.public_url == "https://bots.example.org"
    owner = "ai_admin_owner" in str(settings.database_url)
    assert owner == (name == "migrate"), "the processes own nothing"


def test_gateways_and_workers_wait_for_the_schema(services):
    for name in ("gateway", "worker", "voice"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert services["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", OURS)
def test_our_processes_can_do_and_write_nothing_beyond_their_work(services, name):
    one = services[name]

    assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in one["security_opt"]
    assert "user" not in one, "the image's own, which is not root"
    assert "ports" not in one, "only the proxy is open to the world"


def test_a_process_may_finish_what_it_does(services, longest_end):
    for name in ("gateway", "worker", "voice"):
        assert float(services[name]["stop_grace_period"].removesuffix("s")) >= longest_end(name) + 5


def test_only_the_proxy_is_reached_from_outside_and_the_stores_reach_nobody(services):
    outside = {name: [str(port) for port in one["ports"]] for name, one in services.items() if "ports" in one}

    assert set(outside) == {"caddy", "prometheus", "alertmanager", "grafana"}
    ours = [port for name, ports in outside.items() if name != "caddy" for port in ports]
    assert all(port.startswith("127.0.0.1:") for port in ours)
    assert all(services[name]["networks"] == ["inside"] for name in ("postgres", "pgbouncer", "redis"))
    assert YAML(typ="safe").load(TEXT)["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", STORES)
def test_what_is_not_ours_has_a_version_that_stays_and_says_whether_it_is_healthy(services, name):
    image, _, tag = services[name]["image"].partition(":")

    assert re.search(r"\d+\.\d+", tag), f"{image}: {tag!r} would change under us"
    assert services[name]["healthcheck"]["test"]


def test_ports_and_paths_fit(services):
    """Proxy and Prometheus ask where the processes listen."""
    worker_port = services["worker"]["environment"]["AI_ADMIN_WORKER_METRICS_PORT"]
    prometheus = YAML(typ="safe").load((ROOT / "deploy/compose/prometheus.yml").read_text())
    [scraped] = prometheus["scrape_configs"]
    ports = {name: one["port"] for one in scraped["dns_sd_configs"] for name in one["names"]}
    default = Settings.model_fields["port"].default

    assert ports == {"gateway": default, "worker": int(worker_port), "voice": int(worker_port)}
    assert services["caddy"]["environment"]["GATEWAYS"] == f"gateway:{default}"
    assert services["caddy"]["environment"]["VOICE"] == f"voice:{default}"
    [alerting] = prometheus["alerting"]["alertmanagers"]
    assert alerting["static_configs"][0]["targets"] == ["alertmanager:9093"]
    assert "metrics_path" not in scraped, "/metrics is what Prometheus asks for by itself"


def test_whatever_is_mounted_is_there(services):
    for one in services.values():
        for volume in one.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file(), source
                assert volume.endswith(":ro"), "nothing of the repository is written by a container"


def test_the_first_start_makes_the_roles_by_the_file_that_the_tests_of_a_new_machine_run(services):
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in services["postgres"]["volumes"]}
    script = ROOT / mounted["/docker-entrypoint-initdb.d/logins.sh"]

    assert mounted["/logins/logins.sql"] == "./deploy/postgres/logins.sql"
    assert "-f /logins/logins.sql" in script.read_text()
    assert os.access(script, os.X_OK)
    for name in re.findall(r"\$([A-Z_]+)", script.read_text()):
        assert name in services["postgres"]["environment"]


def test_the_pooler_is_one_that_the_program_knows(services):
    commented = dict(re.findall(r"^#([A-Z_]+)=(.+)$", (ROOT / "deploy/compose/env.example").read_text(), re.MULTILINE))
    with_pooler = YAML(typ="safe").load(substituted(TEXT, {**given(), **commented}))["services"]

    assert services["pgbouncer"]["environment"]["POOL_MODE"] == "transaction"
    assert with_pooler["gateway"]["environment"]["AI_ADMIN_DATABASE_POOLER"] == "transaction"
    assert "@pgbouncer:5432/" in with_pooler["worker"]["environment"]["AI_ADMIN_DATABASE_URL"]
    assert "@postgres:5432/" in with_pooler["migrate"]["environment"]["AI_ADMIN_DATABASE_URL"]
    assert json.dumps(with_pooler["migrate"]["environment"]).count("transaction") == 0
