"""The JavaScript client: one vocabulary with Python's, types of both specs, and a world for each test of others."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trustme

from mockserver.client import Control
from mockserver.client.connection import ROUTES
from mockserver.client.handles import ClockControl, GivenCard, KeptSnapshot, PlannedFault, WebhooksControl
from mockserver.core.health import is_ready
from mockserver.core.resources import javascript_files
from mockserver.server.process import Running
from tests.clock import true_time

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "javascript"
NODE, NPM = shutil.which("node"), shutil.which("npm")
CHROMIUM = shutil.which("chromium")
STRICTLY = "--strict --noEmit --skipLibCheck --target es2022 --module nodenext --types node".split()
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node.js")
needs_modules = pytest.mark.skipif(
    NPM is None or not (CLIENT / "node_modules" / "vitest").exists(),
    reason="needs Node.js, and `npm ci --prefix clients/javascript` to have run",
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`")


def npx(*command: str, folder: Path = CLIENT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program of the client's node_modules."""
    with true_time():
        variables = {
            **os.environ,
            "NO_COLOR": "1",
            "PYTHONPATH": str(ROOT),
            "MOCKSERVER_COMMAND": f"{sys.executable} -m mockserver",
            "CHROMIUM": CHROMIUM or "",
            **environment,
        }
    program = CLIENT / "node_modules" / ".bin" / command[0]
    return subprocess.run(
        [str(program), *command[1:]], cwd=folder, env=variables, capture_output=True, text=True, timeout=500
    )


def node(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script in Node.js, beside the client."""
    command = [str(NODE), "--input-type=module", "--eval", script]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=CLIENT, env=variables, capture_output=True, text=True, timeout=60)


def _public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")} | ({"undo"} if hasattr(kind, "undo") else set())


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


@needs_node
def test_both_clients_have_one_vocabulary() -> None:
    script = """
      import * as client from "prepbusiness-mockserver";
      const names = {};
      for (const kind of ["World", "ClockControl", "WebhooksControl", "KeptSnapshot", "PlannedFault", "GivenCard"]) {
        names[kind] = Object.getOwnPropertyNames(client[kind].prototype).filter((name) => name !== "constructor");
      }
      console.log(JSON.stringify({ names, routes: client.ROUTES }));
    """
    told = json.loads(node(script).stdout)
    assert {name: tuple(route) for name, route in told["routes"].items()} == ROUTES
    # It keeps no connection that could be closed.
    assert set(told["names"].pop("World")) == {_camel(name) for name in _public(Control)} - {"close"}
    for kind in (ClockControl, WebhooksControl, KeptSnapshot, PlannedFault, GivenCard):
        assert set(told["names"][kind.__name__]) == {_camel(name) for name in _public(kind)}, kind


STARTED = """
  import { startServer } from "prepbusiness-mockserver";
  const server = await startServer();
  console.log(server.url);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
"""


@needs_node
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGKILL", "SIGHUP"])
def test_a_server_ends_with_the_process_that_started_it(number: str) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "MOCKSERVER_COMMAND": f"{sys.executable} -m mockserver"}
    command = [str(NODE), "--input-type=module", "--eval", STARTED]
    with subprocess.Popen(command, cwd=CLIENT, env=variables, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            control = started.stdout.readline().strip() + "/_mock"
            assert is_ready(control)
            started.send_signal(getattr(signal, number))
            started.wait(10)
            deadline = time.monotonic() + 30
            while is_ready(control):
                assert time.monotonic() < deadline, "it goes on"
                time.sleep(0.05)
        finally:
            started.kill()


NAMED = """
  import { newWorld, startServer } from "prepbusiness-mockserver";
  const server = await startServer({ options: ["--fixture", process.env.FIXTURE] });
  const world = server.newWorld({ name: "ann@example.com/x" });
  console.log(JSON.stringify([world.name, world.tokenFor("merchant1"), newWorld({ url: undefined }).name.length]));
  await world.clock.freeze("2027-01-31T12:00:00Z");
  await world.delete();
  await server.stop();
"""


@needs_node
def test_worlds_are_named_as_the_server_reads_their_tokens(tmp_path: Path) -> None:
    fixture = tmp_path / "fixture.yaml"
    # What such a server prints is long.
    fixture.write_text(
        "merchants: [{id: 1, name: One, currency: USD}]\ntokens:\n  provider: all\n"
        + "".join(f"  t{n}: all\n" for n in range(500))
    )
    variables = {"PYTHONPATH": str(ROOT), "MOCKSERVER_COMMAND": f"{sys.executable} -m mockserver", "MOCKSERVER_URL": ""}
    done = node(NAMED, **variables, FIXTURE=str(fixture))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["ann@example.com/x", "merchant1@ann@example.com/x", 36]


REPLACED = """
  import { newWorld } from "prepbusiness-mockserver";
  import { syncBuiltinESMExports } from "node:module";
  import http from "node:http";
  import https from "node:https";
  import net from "node:net";
  const replaced = () => { throw new Error("a test has replaced this"); };
  Object.assign(globalThis, { fetch: replaced, URL: replaced, URLSearchParams: replaced });
  Object.defineProperty(globalThis, "crypto", { value: undefined });
  for (const module of [http, https]) Object.assign(module, { request: replaced, get: replaced });
  Object.assign(net, { connect: replaced, createConnection: replaced });
  Object.assign(net.Socket.prototype, { connect: replaced });
  Object.assign(http.Agent.prototype, { addRequest: replaced, createConnection: replaced });
  Object.assign(http, { ClientRequest: replaced, Agent: replaced });
  syncBuiltinESMExports();
  const world = newWorld();
  await world.declines("expired_card");
  console.log((await world.faults()).length);
  await world.delete();
"""


@needs_node
def test_what_tests_put_in_the_place_of_fetch_and_http_is_not_asked(server: Running) -> None:
    done = node(REPLACED, MOCKSERVER_URL=server.base)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1\n"


SECURE = """
  import { newWorld } from "prepbusiness-mockserver";
  import { readFileSync } from "node:fs";
  import https from "node:https";
  const [cert, key] = [readFileSync(process.env.CERT), readFileSync(process.env.KEY)];
  const server = https.createServer({ cert, key }, (asked, answer) => {
    answer.setHeader("Content-Type", "application/json").end(JSON.stringify({ status: asked.headers.host }));
  });
  await new Promise((resolve) => server.listen(0, "0.0.0.0", resolve));
  for (const host of ["localhost", "127.0.0.1", "127.0.0.2", "127.0.0.3"]) {
    const url = `https://${host}:${server.address().port}`;
    const told = newWorld({ url }).health().then(({ status }) => url.endsWith(status), ({ message }) => message);
    console.log(`${host} ${await told}`);
  }
  server.close();
"""


@needs_node
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_a_server_of_this_machine_signs_its_certificate_itself_and_others_do_not(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.2")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    files = {"CERT": str(tmp_path / "cert.pem"), "KEY": str(tmp_path / "key.pem")}
    own = ["localhost true", "127.0.0.1 true"]
    *of_this_machine, other, third = node(SECURE, **files).stdout.splitlines()
    assert of_this_machine == own
    assert re.match(r"127\.0\.0\.2 no mock server answers at https://127\.0\.0\.2:\d+: .*certificate", other)
    done = node(SECURE, **files, NODE_EXTRA_CA_CERTS=str(tmp_path / "authority.pem"))
    *trusted, third = done.stdout.splitlines()
    assert trusted == [*own, "127.0.0.2 true"]
    assert "IP: 127.0.0.3 is not in the cert's list" in third


GONE = """
  import { newWorld } from "prepbusiness-mockserver";
  import setup from "prepbusiness-mockserver/vitest-server";
  import { createServer } from "node:net";
  const answers = {
    half: "HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nhalf",
    none: "",
    page: "HTTP/1.1 200 OK\\r\\n\\r\\n<p>",
  };
  for (const [name, text] of Object.entries(answers)) {
    const server = createServer((socket) => socket.once("data", () => socket.end(text)));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    process.env.MOCKSERVER_URL = `http://127.0.0.1:${server.address().port}`;
    await setup({}).catch((error) => console.log(name, error.message));
    if (name === "half") await newWorld().stream().next().catch((error) => console.log("stream", error.message));
    server.close();
  }
  for (const url of [process.env.MOCKSERVER_URL, "localhost:4010", "nonsense"]) {
    await newWorld({ url }).reset().catch((error) => console.log("gone", error.message));
  }
"""


@needs_node
def test_whoever_answers_nothing_or_half_or_otherwise_is_told_with_its_address() -> None:
    done = node(GONE)
    assert done.returncode == 0, done.stderr
    told = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", done.stdout).splitlines()
    assert told == [
        "half MOCKSERVER_URL: no mock server answers at http://ADDRESS: aborted",
        "stream no mock server answers at http://ADDRESS: aborted",
        "none MOCKSERVER_URL: no mock server answers at http://ADDRESS: socket hang up",
        "page MOCKSERVER_URL: what answers at http://ADDRESS is no mock server",
        "gone no mock server answers at http://ADDRESS: connect ECONNREFUSED ADDRESS",
        "gone no mock server answers at localhost:4010: that is no address; expected one such as http://ADDRESS",
        "gone no mock server answers at nonsense: that is no address; expected one such as http://ADDRESS",
    ]


@needs_node
def test_every_node_that_it_takes_can_require_it() -> None:
    engines = json.loads((CLIENT / "package.json").read_text("utf-8"))["engines"]
    # Without a flag since these: https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require
    assert engines == {"node": "^20.19.0 || >=22.12.0"}
    assert "Node.js 20.19, 22.12 or later" in (CLIENT / "README.md").read_text("utf-8")
    # Playwright makes `require` of `import` where a project is not of the type "module".
    required = 'typeof require("prepbusiness-mockserver").startServer'
    done = subprocess.run([str(NODE), "--print", required], cwd=CLIENT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "function\n", done.stderr


def test_what_is_written_out_has_no_dependencies() -> None:
    for name, file in javascript_files().items():
        if name.endswith(".js"):
            imported = re.findall(r'^(?:import|export) .*?from "([^"]+)"', file.read_text("utf-8"), re.MULTILINE)
            others = {one for one in imported if not one.startswith(("./", "node:"))}
            assert others <= {"dist/playwright.js": {"@playwright/test"}, "dist/vitest.js": {"vitest"}}.get(name, set())


@needs_modules
def test_the_types_are_those_of_both_documents(tmp_path: Path) -> None:
    documents = {"api.ts": "openapi.yaml", "control.ts": "mockserver/server/control/openapi.yaml"}
    for name, document in documents.items():
        done = npx("openapi-typescript", str(ROOT / document), "--output", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        made = CLIENT / "src" / "generated" / name
        assert (tmp_path / name).read_text("utf-8") == made.read_text("utf-8"), "npm run generate, and build"


@needs_modules
def test_what_is_built_is_what_the_sources_say(tmp_path: Path) -> None:
    done = npx("tsc", "--outDir", str(tmp_path))
    assert done.returncode == 0, done.stdout
    made = {file.relative_to(tmp_path): file.read_text("utf-8") for file in tmp_path.rglob("*") if file.is_file()}
    dist = CLIENT / "dist"
    kept = {file.relative_to(dist): file.read_text("utf-8") for file in dist.rglob("*") if file.is_file()}
    assert made == kept, "npm run build"


@needs_modules
def test_the_tests_in_vitest_pass() -> None:
    done = npx("vitest", "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tests +12 passed \(12\)", done.stdout), done.stdout


@needs_modules
@needs_chromium
def test_the_tests_in_playwright_pass(tmp_path: Path) -> None:
    done = npx("playwright", "test", PLAYWRIGHT_OUTPUT=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project that has installed what `mockserver client javascript` writes out: npm links to a folder."""
    modules = tmp_path / "node_modules"
    modules.mkdir()
    for module in (CLIENT / "node_modules").iterdir():
        (modules / module.name).symlink_to(module)
    command = [sys.executable, "-m", "mockserver", "client", "javascript", str(tmp_path / "vendor" / "mockserver")]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    (modules / "prepbusiness-mockserver").symlink_to(tmp_path / "vendor" / "mockserver")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


VITEST = 'export default { test: { globalSetup: ["prepbusiness-mockserver/vitest-server"], testTimeout: 60000 } };'
FORBIDDEN = """
  test("sends nonsense", async ({ world }) => {
    await fetch(world.url + "/billing/invoices?page=first", { headers: world.headers });
  });
  test("sends nonsense, and is about that", async ({ world }) => {
    world.allow("invalid");
    await fetch(world.url + "/billing/invoices?page=first", { headers: world.headers });
  });
  test("fails by itself", async ({ world }) => {
    const answer = await fetch(world.url + "/billing/invoices", { headers: world.headers });
    expect(answer.status).toBe(402);
  });
"""


@needs_modules
def test_a_test_in_vitest_fails_when_its_client_sent_what_the_spec_forbids(project: Path) -> None:
    (project / "vitest.config.js").write_text(VITEST)
    head = 'import { expect } from "vitest";\nimport { test } from "prepbusiness-mockserver/vitest";\n'
    (project / "one.test.js").write_text(head + FORBIDDEN)
    done = npx("vitest", "run", folder=project)
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    assert "2 failed | 1 passed" in told
    assert "The client sent what the spec forbids" in told
    assert "/billing/invoices?page=first" in told
    assert 'world.allow("invalid")' in told
    assert "The last exchanges in the world fails-by-itself-" in told


@needs_modules
def test_vitest_without_the_setup_is_told_of_it(project: Path) -> None:
    head = 'import { test } from "prepbusiness-mockserver/vitest";\n'
    (project / "one.test.js").write_text(head + 'test("x", async ({ world }) => { await world.journal(); });\n')
    done = npx("vitest", "run", folder=project)
    assert done.returncode == 1
    assert 'set globalSetup: ["prepbusiness-mockserver/vitest-server"]' in done.stdout + done.stderr


@needs_modules
def test_a_test_in_playwright_fails_when_its_client_sent_what_the_spec_forbids(project: Path) -> None:
    head = 'import { expect, test } from "prepbusiness-mockserver/playwright";\n'
    (project / "one.spec.js").write_text(head + FORBIDDEN)
    done = npx("playwright", "test", "--reporter=list", folder=project)
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    assert re.search(r"2 failed\n", told)
    assert re.search(r"1 passed", told)
    assert "The client sent what the spec forbids" in told
    assert "The last exchanges in the world fails-by-itself-" in told


@needs_modules
def test_a_misspelt_outcome_kind_or_field_is_an_error_of_types(project: Path) -> None:
    (project / "one.ts").write_text(
        'import { newWorld } from "prepbusiness-mockserver";\n'
        'await newWorld().fault({ kind: "status", retry_afer: 3 });\n'
        'await newWorld().verify({ operation: "collectInvoice", at_mots: 1 });\n'
        'await newWorld().webhooks.deliveries({ state: "pendign" });\n'
    )
    done = npx("tsc", *STRICTLY, "one.ts", folder=project)
    lines = [int(line) for line in re.findall(r"^one\.ts\((\d+),", done.stdout, re.MULTILINE)]
    assert lines == [2, 3, 4], done.stdout


@needs_modules
def test_the_examples_of_the_readmes_are_right_by_their_types(project: Path) -> None:
    pages = [CLIENT / "README.md", ROOT / "README.md"]
    blocks = [block for page in pages for block in re.findall(r"```ts\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    assert len(blocks) == 5
    for number, block in enumerate(blocks):
        (project / f"example{number}.ts").write_text(block)
    done = npx("tsc", *STRICTLY, *(f"example{number}.ts" for number in range(len(blocks))), folder=project)
    assert done.returncode == 0, done.stdout


@needs_modules
def test_the_example_for_vitest_passes(project: Path) -> None:
    page = (CLIENT / "README.md").read_text("utf-8").partition("## In Vitest")[2]
    [example] = re.findall(r"```ts\n(.*?)```", page, re.DOTALL)
    (project / "vitest.config.js").write_text(VITEST)
    (project / "example.test.ts").write_text(example)
    done = npx("vitest", "run", folder=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    (project / "example.test.ts").write_text(re.sub(r"^.*/collect`.*\n", "", example, flags=re.MULTILINE))
    assert npx("vitest", "run", folder=project).returncode == 1, "it passes while nothing is tested"
