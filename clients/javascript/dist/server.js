/** Starts `mockserver serve` as a process of its own on a free port, waits until it is ready, and ends it. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { newWorld } from "./world.js";
/** A server that runs. */
export class Server {
    url;
    child;
    constructor(
    /** Its address, without a path. */
    url, child) {
        this.url = url;
        this.child = child;
    }
    /** The address of the API. */
    get api() {
        return `${this.url}/api`;
    }
    /** A world of it that nobody else is in. */
    newWorld(options = {}) {
        return newWorld({ ...options, url: this.url });
    }
    /** End it, if it was started here. */
    async stop() {
        const child = this.child;
        if (child === undefined || child.exitCode !== null || child.signalCode !== null)
            return;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        await ended;
    }
    async [Symbol.asyncDispose]() {
        await this.stop();
    }
}
/** A server on a free port. Throws with what it printed when it does not become ready. */
export async function startServer({ options = [], command = (process.env["MOCKSERVER_COMMAND"] ?? "mockserver").split(" "), patience = 60_000, } = {}) {
    const port = await freePort();
    const [program = "mockserver", ...before] = command;
    const words = [...before, "serve", "--host", "127.0.0.1", "--port", String(port), ...options];
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"] });
    const printed = [];
    let failure;
    child.once("error", (error) => (failure = error));
    child.stderr.setEncoding("utf8").on("data", (text) => {
        printed.push(text);
        if (printed.length > 50)
            printed.shift();
    });
    // Whatever way this process ends, it leaves no server behind.
    const end = () => child.kill("SIGTERM");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    const server = new Server(`http://127.0.0.1:${port}`, child);
    const deadline = performance.now() + patience;
    while (!(await isReady(server.url))) {
        if (failure !== undefined) {
            throw new Error(`can't start ${program}: ${failure.message}; install it, or set MOCKSERVER_COMMAND`);
        }
        if (child.exitCode !== null || child.signalCode !== null) {
            throw new Error(`the mock server ended with exit code ${child.exitCode}: ${printed.join("").trim()}`);
        }
        if (performance.now() > deadline) {
            await server.stop();
            throw new Error(`the mock server was not ready after ${patience / 1000} s: ${printed.join("").trim()}`);
        }
        await sleep(20);
    }
    return server;
}
/** The server that `MOCKSERVER_URL` names, or else a new one. */
export async function existingOrNew(options = {}) {
    const url = process.env["MOCKSERVER_URL"];
    if (url === undefined || url === "")
        return startServer(options);
    const base = url.replace(/\/+$/, "").replace(/\/(api|_mock)$/, "");
    if (!(await isReady(base)))
        throw new Error(`no mock server answers at ${base}, as MOCKSERVER_URL says`);
    return new Server(base, undefined);
}
async function isReady(url) {
    try {
        const answer = await fetch(`${url}/_mock/health`, { signal: AbortSignal.timeout(2000) });
        const told = (await answer.json());
        return told.status === "ok";
    }
    catch {
        return false;
    }
}
async function freePort() {
    const probe = createServer();
    await new Promise((resolve, reject) => {
        probe.once("error", reject);
        probe.listen(0, "127.0.0.1", resolve);
    });
    const address = probe.address();
    await new Promise((resolve) => probe.close(resolve));
    if (address === null || typeof address === "string")
        throw new Error("this machine gives no free port");
    return address.port;
}
