"""The files for containers fit the package and each other, and ask for no more rights than the fake needs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.core.health import is_ready
from tests.ports import own_port

ROOT = Path(__file__).parents[2]
PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
VERSION = PROJECT["project"]["version"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
ALONE, MANY = (
    {one["kind"]: one for one in yaml.safe_load_all((ROOT / f"deploy/{name}.yaml").read_text("utf-8"))}
    for name in ("kubernetes", "kubernetes-many")
)
both = pytest.mark.parametrize("manifest", [ALONE, MANY])


def pod_of(manifest: Any) -> Any:
    return manifest["Deployment"]["spec"]["template"]["spec"]


def test_every_version_is_that_of_the_package() -> None:
    assert f"ARG VERSION={VERSION}\n" in DOCKERFILE
    for name in ("deploy/kubernetes.yaml", "deploy/kubernetes-many.yaml", "deploy/gitlab.yml", "docs/ci.md"):
        text = (ROOT / name).read_text("utf-8")
        versions = re.findall(r"prepbusiness-mockserver(?:@v|:)([\d.]+)", text)
        assert versions, name
        assert set(versions) == {VERSION}, name


def test_what_the_dockerfile_copies_is_what_the_build_is_sent() -> None:
    sent = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert all(any(_is_in(one, source) for source in copied) for one in sent)
    assert all(any(_is_in(one, source) for one in sent) for source in copied)
    assert all((ROOT / one).exists() for one in sent)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def test_the_build_is_sent_all_that_the_wheel_is_made_of() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    project = PROJECT["project"]
    needed = [*wheel["packages"], *wheel["force-include"], project["readme"], *project["license-files"]]
    sent = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    for path in needed:
        assert any(_is_in(path, one) for one in sent), path


def test_the_image_is_no_root_and_knows_its_health() -> None:
    final = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert 'CMD ["mockserver", "health"]' in final
    assert "MOCKSERVER_HOST=0.0.0.0" in final
    # In the form of a shell, a signal would reach the shell alone.
    assert 'ENTRYPOINT ["mockserver"]' in final


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_as_the_first_process_of_a_container_it_ends_at_once_on_sigterm() -> None:
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody make a namespace of processes")
    port = own_port()
    command = [*apart, sys.executable, "-m", "mockserver", "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as outer:
        deadline = time.monotonic() + 60
        while not is_ready(f"http://127.0.0.1:{port}/_mock"):
            assert outer.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        [first] = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGTERM)
        try:
            # Docker and Kubernetes send SIGKILL after 10 s and 30 s, and then nothing more is written.
            outer.wait(60)
        except subprocess.TimeoutExpired:
            os.kill(int(first), signal.SIGKILL)
            raise
    assert outer.returncode in (0, 128 + signal.SIGTERM, -signal.SIGTERM)


def test_compose_waits_for_the_fake_and_controls_it_by_one_token() -> None:
    services = COMPOSE["services"]
    assert services["frontend"]["depends_on"]["fake"]["condition"] == "service_healthy"
    assert services["verify"]["depends_on"]["fake"]["condition"] == "service_healthy"
    tokens = {services[name]["environment"]["MOCKSERVER_CONTROL_TOKEN"] for name in ("fake", "frontend")}
    assert len(tokens) == 1
    # Only this machine reaches the published port.
    assert all(port.startswith("127.0.0.1:") for port in services["fake"]["ports"])


def test_the_reports_of_compose_go_to_a_volume_that_the_user_of_the_image_can_write() -> None:
    verify = COMPOSE["services"]["verify"]
    folder = verify["environment"]["MOCKSERVER_VERIFY_REPORT_DIR"]
    assert [volume.partition(":")[2] for volume in verify["volumes"]] == [folder]
    assert re.search(rf"install --directory --owner=mockserver .*{folder}$", DOCKERFILE, re.MULTILINE)


def test_compose_charges_nobody_unless_told_to() -> None:
    assert COMPOSE["services"]["verify"]["environment"]["MOCKSERVER_VERIFY_ALLOW_CHARGES"].endswith(":-0}")


@both
def test_the_pod_has_no_more_rights_than_it_needs(manifest: Any) -> None:
    pod = pod_of(manifest)
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"]
    assert not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"].keys() == {"requests", "limits"}
    [token] = [one for one in container["env"] if one["name"] == "MOCKSERVER_CONTROL_TOKEN"]
    assert "secretKeyRef" in token["valueFrom"]


@both
def test_every_probe_asks_the_health_check_at_the_port_of_the_container(manifest: Any) -> None:
    deployment, service = manifest["Deployment"], manifest["Service"]
    [container] = pod_of(manifest)["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 4010}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[name]["httpGet"] == {"path": "/_mock/health", "port": "http"}
    [port] = service["spec"]["ports"]
    assert port["targetPort"] == "http"
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"] == labels


def test_state_in_memory_is_held_by_one_pod_alone() -> None:
    assert ALONE["Deployment"]["spec"]["replicas"] == 1
    assert ALONE["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


def test_several_pods_have_one_database_and_a_token_stays_on_one_of_them() -> None:
    assert MANY["Deployment"]["spec"]["replicas"] > 1
    [container] = pod_of(MANY)["containers"]
    [state] = [one for one in container["env"] if one["name"] == "MOCKSERVER_STATE"]
    assert "secretKeyRef" in state["valueFrom"]
    ingress = MANY["Ingress"]
    hashed = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/upstream-hash-by"]
    assert hashed == "$http_authorization$arg_api_token"
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": MANY["Service"]["metadata"]["name"], "port": {"name": "http"}}


def test_no_node_takes_all_of_several_pods() -> None:
    labels = MANY["Deployment"]["spec"]["template"]["metadata"]["labels"]
    budget = MANY["PodDisruptionBudget"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
    [spread] = pod_of(MANY)["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    # A team with one node has its fakes all the same.
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["labelSelector"] == {"matchLabels": labels}


def test_the_image_has_what_keeps_worlds_in_a_database() -> None:
    assert re.search(r"^RUN pip install -r requirements-state\.txt$", DOCKERFILE, re.MULTILINE)
