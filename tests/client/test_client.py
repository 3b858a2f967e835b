"""The Python client says all that the control interface understands, and tells what it can not do."""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints, is_typeddict

import pytest

import mockserver
from mockserver import client
from mockserver.client import Control, ControlRefused, payloads
from mockserver.client.connection import ROUTES
from mockserver.server.process import Running
from tests.client.document import SPEC


def documented() -> dict[str, tuple[str, str]]:
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in SPEC["paths"].items()
        for method, operation in item.items()
    }


def test_every_control_operation_has_its_route_in_the_client() -> None:
    assert documented() == ROUTES


def test_every_route_of_the_client_is_used_by_a_method() -> None:
    used = set()
    for source in Path(client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("call", "events")
            ):
                used.add(ast.literal_eval(node.args[0]))
    assert used == set(ROUTES)


ALWAYS_THERE = {"seed"}
"""What an answer has that a question need not have, where the client has one form for both."""


def described(schema: Any) -> tuple[set[str], set[str]]:
    """The properties of an object, and those that it must have."""
    properties, required = set(schema.get("properties", ())), set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        whole = SPEC["components"]["schemas"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        inner = described(whole)
        properties, required = properties | inner[0], required | inner[1]
    return properties, required


@pytest.mark.parametrize(
    "name",
    [name for name, form in vars(payloads).items() if is_typeddict(form) and name in SPEC["components"]["schemas"]],
)
def test_a_form_of_the_client_has_the_properties_of_its_schema(name: str) -> None:
    form = getattr(payloads, name)
    properties, required = described(SPEC["components"]["schemas"][name])
    assert set(get_type_hints(form)) == properties
    assert form.__required_keys__ == required - ALWAYS_THERE


def test_the_package_exports_few_names_in_order() -> None:
    assert mockserver.__all__ == ["Control", "ControlRefused", "Running", "running"]
    assert mockserver.__all__ == sorted(mockserver.__all__)
    for name in mockserver.__all__:
        assert getattr(mockserver, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Contrl'"):
        _ = mockserver.Contrl


@pytest.mark.parametrize("name", ["mockserver", "mockserver.pytest_plugin", "mockserver.server.process"])
def test_importing_it_imports_no_server(name: str) -> None:
    program = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert not loaded & {"flask", "granian", "schemathesis", "openapi_core", "jsonschema_rs", "httpx", "yaml"}


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/", "/_mock"])
def test_any_address_of_the_server_will_do(server: Running, path: str) -> None:
    control = Control(server.base + path)
    assert control.health()["status"] == "ok"
    assert control.url == server.api
    control.close()


def test_a_server_that_is_not_there_is_told_by_its_address() -> None:
    with pytest.raises(ConnectionError, match=r"no mock server answers at http://127\.0\.0\.1:9"):
        Control("http://127.0.0.1:9").health()


def test_what_answers_otherwise_than_a_mock_server_is_shown(server: Running) -> None:
    with pytest.raises(ControlRefused, match="There is nothing at") as refused:
        Control(server.base + "/elsewhere").health()
    assert refused.value.status == 404


def test_a_refusal_carries_the_servers_message(control: Control) -> None:
    with pytest.raises(ControlRefused) as refused:
        control.clock.advance("soon")
    assert (refused.value.status, refused.value.operation) == (400, "advanceClock")
    assert "soon" in str(refused.value)
    assert list(refused.value.errors) == ["by"]


def test_a_token_that_no_header_can_carry_is_told(root: Control) -> None:
    with pytest.raises(
        ValueError, match="the token 'provider@a\u2013b' has the character '\u2013', which no header can"
    ):
        root.world("a\u2013b")


def test_a_program_with_many_open_files_can_call(server: Running) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this machine allows no more open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    many: list[int] = []
    try:
        while not many or many[-1] < 1024:
            many.append(os.open(os.devnull, os.O_RDONLY))
        control = Control(server.base, "provider@many")
        assert [control.health()["status"], control.health()["status"]] == ["ok", "ok"]
        control.close()
    finally:
        for descriptor in many:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
