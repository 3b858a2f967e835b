"""A connection that a fault ends is ended for every client: curl, Node.js and a browser, kept open before or not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Api
from tests.servers import Quiet, serving

LIST = "/billing/invoices"
PAGE = """<!doctype html><meta charset="utf-8"><pre id="told">nothing</pre><script>
(async () => {
  const told = {};
  const headers = { authorization: 'Bearer TOKEN' };
  const ask = async (name, fault, options) => {
    try {
      const answer = await fetch('API' + options.path, { ...options, headers: { ...headers, prefer: fault } });
      told[name] = answer.status;
      await answer.text();
    } catch (error) {
      told[name] = `${told[name] ?? ''}${error.name}`;
    }
  };
  await ask('sound', '', { path: '/billing/invoices' });
  for (const fault of ['reset', 'empty', 'truncated; share=0']) {
    await ask(`GET ${fault}`, `fault=${fault}`, { path: '/billing/invoices?page=1' });
    await ask(`${fault} is over`, '', { path: '/billing/invoices?page=2' });
    await ask(`POST ${fault}`, `fault=${fault}`, { path: '/billing/invoices/1/finalize', method: 'POST' });
  }
  await ask('sound again', '', { path: '/billing/invoices' });
  document.getElementById('told').textContent = JSON.stringify(told);
  await fetch('/told', { method: 'POST', body: JSON.stringify(told) });
})();
</script>"""
NODE = """
const [api, token, agent] = process.argv.slice(1);
const http = require('http');
const kept = new http.Agent({ keepAlive: agent === 'kept', maxSockets: 1 });
const ask = (prefer) => new Promise((done) => {
  const headers = { authorization: `Bearer ${token}`, origin: 'http://localhost:5173', prefer };
  http.get(`${api}/billing/invoices`, { agent: kept, headers }, (answer) => {
    answer.resume();
    answer.on('end', () => done(answer.statusCode));
  }).on('error', (error) => done(error.code));
});
(async () => {
  const told = [];
  for (const prefer of ['', 'fault=reset', '', 'fault=reset; when=after']) told.push(await ask(prefer));
  console.log(JSON.stringify(told));
  process.exit(0);
})();
"""


def need(*programs: str) -> str:
    """The path of the first of these programs that there is."""
    for program in programs:
        if found := shutil.which(program):
            return found
    pytest.skip(f"there is no {programs[0]} on this machine")


@pytest.mark.parametrize("origin", [[], ["-H", "Origin: http://localhost:5173"]])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("fault", "code"), [("reset", 56), ("reset; when=after", 56), ("empty", 52)])
def test_curl_meets_the_end_of_a_connection(
    api: Api, fault: str, code: int, kept: bool, method: str, origin: list[str]
) -> None:
    ask = ["-s", "-H", f"Authorization: Bearer {api.token}@{api.world}", *origin]
    ask += ["--head"] if method == "HEAD" else ["-X", method]
    ask += [] if kept else ["-H", "Connection: close"]
    path = f"{LIST}/1/finalize" if method == "POST" else LIST
    url = f"{api.server.api}{path}"
    first = [*ask, url, "--next"] if kept else []
    done = subprocess.run(
        [need("curl"), *first, *ask, "-H", f"Prefer: fault={fault}", url], capture_output=True, timeout=60
    )
    assert done.returncode == code
    statuses = [entry["response"]["status"] for entry in api.control("GET", "/journal").json()["data"]]
    # On a connection that was used before, curl tries a GET once more by itself.
    assert set(statuses[1 if kept else 0 :]) == {None}


@pytest.mark.parametrize("agent", ["kept", "closed"])
def test_node_meets_a_reset(api: Api, agent: str) -> None:
    arguments = [need("node"), "-e", NODE, api.server.api, f"{api.token}@{api.world}", agent]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == [200, "ECONNRESET", 200, "ECONNRESET"], done.stderr


@pytest.fixture
def page(api: Api) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """The address of a page of another origin, and what it told."""
    told: list[dict[str, object]] = []
    text = PAGE.replace("TOKEN", f"{api.token}@{api.world}").replace("API", api.server.api).encode()

    class Pages(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    with serving(Pages) as address:
        yield f"{address}/", told


def test_a_browser_meets_the_end_of_a_connection(
    api: Api, page: tuple[str, list[dict[str, object]]], tmp_path: Path
) -> None:
    browser = need("chromium", "chromium-browser", "google-chrome")
    address, told = page
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    with subprocess.Popen(
        [browser, *options, "--virtual-time-budget=60000", address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        child.communicate(timeout=120)
    assert told, "the page told nothing"
    assert told[0]["sound"] == told[0]["sound again"] == 200
    for method in ("GET", "POST"):
        for fault in ("reset", "empty"):
            assert told[0][f"{method} {fault}"] == "TypeError"
        assert "TypeError" in str(told[0][f"{method} truncated; share=0"])
    posts = [
        entry["request"]["headers"]["prefer"]
        for entry in api.control("GET", "/journal").json()["data"]
        if entry["request"]["method"] == "POST"
    ]
    # A browser repeats what it sent on a connection that it had used before, unless the head of an answer came.
    assert posts == ["fault=reset"] * 2 + ["fault=empty"] * 2 + ["fault=truncated; share=0"]
