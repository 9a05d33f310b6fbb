"""deploy/k8s: every object held against the published schemas of Kubernetes, and against the program.

kubernetes-validate brings the schemas. It has none for objects that others define (PodMonitor), nor for files that
never reach the API (kustomization.yaml): those are only looked at here. Nothing of this has run on a cluster yet.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from bot.settings import PREFIX, Settings, load_settings
from db.crypto import new_master_key
from handlers.ops import Ops

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
FILES = sorted(path for path in K8S.rglob("*.yaml"))
FOLDERS = sorted(path.parent for path in FILES if path.name == "kustomization.yaml")
NOT_OBJECTS = {"kustomization.yaml", "adapter-rule.yaml"}
VERSIONS = ("1.30", "1.37")
"""The oldest in which preStop's sleep is there without a switch, and the newest that the package has."""
ROLES = ("gateway", "worker")


def load(path: Path) -> list[dict[str, Any]]:
    return [one for one in YAML(typ="safe").load_all(path.read_text()) if one is not None]


OBJECTS = [(path, one) for path in FILES if path.name not in NOT_OBJECTS for one in load(path)]
OURS = [(path, one) for path, one in OBJECTS if "monitoring.coreos.com" not in one["apiVersion"]]


def of(kind: str, name: str | None = None) -> dict[str, Any]:
    """Return the one object of a kind (and name) that the base, or what comes before it, holds."""
    [found] = [
        one
        for path, one in OBJECTS
        if one["kind"] == kind and name in (None, one["metadata"]["name"]) and "overlays" not in path.parts
    ]
    return found


def pod_of(role: str) -> dict[str, Any]:
    workload = of("Job") if role == "migrate" else of("Deployment", f"ai-admin-{role}")
    return dict(workload["spec"]["template"]["spec"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("path", "found"), OURS, ids=[f"{p.stem}-{o['kind']}-{o['metadata']['name']}" for p, o in OURS]
)
def test_every_object_keeps_to_the_published_schema(path, found, version):
    kubernetes_validate.validate(found, version, strict=True)


def test_the_schema_would_find_a_word_that_is_no_word_of_it():
    wrong = {**of("Service"), "spec": {**of("Service")["spec"], "port": 80}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(K8S)))
def test_a_kustomization_names_exactly_the_files_that_are_there(folder):
    [found] = load(folder / "kustomization.yaml")
    named = [*found["resources"], *(patch["path"] for patch in found.get("patches", ()))]
    files = {name for name in named if not name.startswith("../")}

    assert files == {path.name for path in folder.glob("*.yaml")} - NOT_OBJECTS
    assert len(named) == len(set(named))
    for name in named:
        assert (folder / name).exists(), name
    assert (found["apiVersion"], found["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")


@pytest.mark.parametrize("overlay", ["example", "example-before"])
def test_kustomize_builds_the_overlay_where_it_is_installed(overlay):
    """There is no package of it in Debian: where kubectl is not there, only the test above has looked."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    command = [kubectl, "kustomize", str(K8S / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    built = [one for one in YAML(typ="safe").load_all(done.stdout) if one is not None]
    for one in built:
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "ai-admin"
    images = re.findall(r"image: (\S+)", done.stdout)
    assert images
    assert all(re.fullmatch(r"registry\.example/ai-admin:\d+\.\d+\.\d+", image) for image in images)


@pytest.mark.parametrize("role", [*ROLES, "migrate"])
def test_a_pod_can_do_nothing_that_its_work_does_not_need(role):
    pod = pod_of(role)
    [container] = pod["containers"]
    allowed = container["securityContext"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    assert "memory" in container["resources"]["limits"]
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None
    assert [str(pod["securityContext"][name]) for name in ("runAsUser", "runAsGroup")] == list(user.groups())


@pytest.mark.parametrize("role", ROLES)
def test_probes_ask_for_routes_that_are_there_on_the_port_where_they_are(role):
    [container] = pod_of(role)["containers"]
    ops = Ops(database=lambda: None, redis=lambda: None, guard=lambda handler: handler)
    routes = {route.path for route in ops.routes()}
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    [port] = container["ports"]
    listens = {pair["name"]: pair["value"] for pair in container.get("env", ())}

    assert {one["path"] for one in asked.values()} <= routes
    # A database that is away must not have every process killed.
    assert asked["liveness"]["path"] == asked["startup"]["path"] == "/health"
    assert asked["readiness"]["path"] == "/ready"
    assert {one["port"] for one in asked.values()} == {port["name"]}
    default = Settings.model_fields["port"].default
    assert str(port["containerPort"]) == listens.get("AI_ADMIN_WORKER_METRICS_PORT", str(default))
    assert (role == "gateway") == ("AI_ADMIN_WORKER_METRICS_PORT" not in listens), "the image's HEALTHCHECK asks there"


@pytest.mark.parametrize("role", ROLES)
def test_a_process_may_finish_what_it_does(role, longest_end):
    pod = pod_of(role)
    sleeps = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    assert pod["terminationGracePeriodSeconds"] >= sleeps + longest_end(role) + 5


def test_no_request_is_refused_while_gateways_are_replaced():
    """It serves on until the last node has noticed, and a new one is ready before an old one goes."""
    gateway = of("Deployment", "ai-admin-gateway")["spec"]
    readiness = gateway["template"]["spec"]["containers"][0]["readinessProbe"]

    assert gateway["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    stop = gateway["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert stop > readiness["periodSeconds"] * readiness["failureThreshold"]


def test_three_gateways_and_five_workers_at_least_and_more_as_clients_wait():
    scalers = {role: of("HorizontalPodAutoscaler", f"ai-admin-{role}")["spec"] for role in ROLES}

    assert {role: one["minReplicas"] for role, one in scalers.items()} == {"gateway": 3, "worker": 5}
    for role, one in scalers.items():
        assert one["scaleTargetRef"]["name"] == of("Deployment", f"ai-admin-{role}")["metadata"]["name"]
        assert "replicas" not in of("Deployment", f"ai-admin-{role}")["spec"], "each apply would undo the autoscaler"
    assert scalers["gateway"]["metrics"][0]["resource"]["name"] == "cpu"
    [rule] = load(K8S / "monitoring" / "adapter-rule.yaml")[0]["rules"]["external"]
    wanted = scalers["worker"]["metrics"][0]["external"]["metric"]["name"]
    assert rule["name"]["as"] == wanted
    assert f'"{wanted}"' in rule["seriesQuery"]


@pytest.mark.parametrize("role", ROLES)
def test_selectors_find_the_pods_that_they_are_for(role):
    deployment = of("Deployment", f"ai-admin-{role}")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    budget = of("PodDisruptionBudget", f"ai-admin-{role}")["spec"]
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]

    for selector in (deployment["selector"], budget["selector"], *(one["labelSelector"] for one in spread)):
        assert selector["matchLabels"] == labels
    assert {one["topologyKey"] for one in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    if role == "gateway":
        assert of("Service")["spec"]["selector"] == labels


def test_what_is_not_allowed_is_refused():
    policies = {one["metadata"]["name"]: one["spec"] for _, one in OBJECTS if one["kind"] == "NetworkPolicy"}
    reached = {
        name: {port["port"] for rule in spec.get("egress", ()) for port in rule["ports"]}
        for name, spec in policies.items()
    }

    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert reached["to-names-and-stores"] == {53, 5432, 6379}
    assert reached["migrate-to-names-and-postgresql"] == {53, 5432}
    assert reached["workers-to-the-internet"] == {443}
    internet = policies["workers-to-the-internet"]
    assert internet["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "worker", "a gateway asks nobody"
    private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}
    assert private <= set(internet["egress"][0]["to"][0]["ipBlock"]["except"])


def test_every_setting_is_one_and_the_program_starts_with_them(monkeypatch):
    example = {one["metadata"]["name"]: one["stringData"] for one in load(K8S / "secrets.example.yaml")}
    environment = {**of("ConfigMap")["data"], **example["ai-admin-secrets"], "AI_ADMIN_MASTER_KEYS": new_master_key()}
    environment["AI_ADMIN_MODE"] = "production"
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for _, one in OBJECTS:
        names = {*one.get("data", {}), *one.get("stringData", {})}
        names |= set(re.findall(rf"{PREFIX}[A-Z_]+", str(one)))
        assert names <= known, one["metadata"]["name"]
    assert load_settings(environment, env_file=None).public_url == "https://bots.example.org"


def test_only_the_job_is_given_the_owners_address_and_no_secret_is_in_the_repository():
    named = {
        role: [one["secretRef"]["name"] for one in pod_of(role)["containers"][0]["envFrom"] if "secretRef" in one]
        for role in (*ROLES, "migrate")
    }

    assert named == {
        "gateway": ["ai-admin-secrets"],
        "worker": ["ai-admin-secrets"],
        "migrate": ["ai-admin-secrets", "ai-admin-owner"],  # of two that name the same setting, the later counts
    }
    for secret in load(K8S / "secrets.example.yaml"):
        # Set to the letter, so that nobody takes it for one.
        assert all("CHANGE-ME" in value for value in secret["stringData"].values())
    assert not any("secrets.example.yaml" in (folder / "kustomization.yaml").read_text() for folder in FOLDERS)


def test_prometheus_is_told_where_figures_are_by_the_name_that_the_rules_ask_for():
    monitor = of("PodMonitor")["spec"]
    labels = of("Deployment", "ai-admin-worker")["spec"]["template"]["metadata"]["labels"]
    [endpoint] = monitor["podMetricsEndpoints"]

    assert labels[monitor["jobLabel"]] == "ai-admin"
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    for role in ROLES:
        assert endpoint["port"] in {port["name"] for port in pod_of(role)["containers"][0]["ports"]}
    key = endpoint["authorization"]["credentials"]
    [secrets] = [one for one in load(K8S / "secrets.example.yaml") if one["metadata"]["name"] == key["name"]]
    assert key["key"] in secrets["stringData"]
