/** Starts `mockserver serve` as a process of its own on a free port, waits until it is ready, and ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { type World, type WorldOptions, newWorld } from "./world.js";

/** How a server is started. */
export interface ServerOptions {
  /** Options of `mockserver serve`, such as `["--fixture", "declines"]`. */
  options?: readonly string[];
  /** What starts the program; `MOCKSERVER_COMMAND`, its words separated by blanks, or `mockserver`. */
  command?: readonly string[];
  /** Milliseconds that it may take to become ready; 60,000 unless given. */
  patience?: number;
}

/** What a server that is ready prints of its address. */
const LISTENS = /  API .*(https?:\/\/\S+)\/api\r?$/m;

/** A server that runs. */
export class Server {
  constructor(
    /** Its address, without a path. */
    readonly url: string,
    private readonly child: ChildProcess | undefined,
  ) {}

  /** The address of the API. */
  get api(): string {
    return `${this.url}/api`;
  }

  /** A world of it that nobody else is in. */
  newWorld(options: Omit<WorldOptions, "url"> = {}): World {
    return newWorld({ ...options, url: this.url });
  }

  /** End it, if it was started here. */
  async stop(): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A server on a free port. Throws with what it printed when it does not become ready. */
export async function startServer({
  options = [],
  command = (process.env["MOCKSERVER_COMMAND"] ?? "mockserver").split(" "),
  patience = 60_000,
}: ServerOptions = {}): Promise<Server> {
  const [program = "mockserver", ...before] = command;
  // The server chooses its port: one found here could be another's by the time that it listens. And however this process
  // ends, the pipe ends with it, and the server with the pipe.
  const words = [...before, "serve", "--host", "127.0.0.1", "--port", "0", "--end-with-stdin", ...options];
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
  // It may have ended before the pipe does.
  child.stdin.on("error", () => undefined);
  const complained: string[] = [];
  let printed = "";
  let url: string | undefined;
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (url !== undefined) return;
    printed += text;
    url = LISTENS.exec(printed)?.[1];
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complained.push(text);
    if (complained.length > 50) complained.shift();
  });
  const deadline = performance.now() + patience;
  while (url === undefined) {
    if (failure !== undefined) {
      throw new Error(`can't start ${program}: ${failure.message}; install it, or set MOCKSERVER_COMMAND`);
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the mock server ended with exit code ${child.exitCode}: ${complained.join("").trim()}`);
    }
    if (performance.now() > deadline) {
      await new Server("", child).stop();
      throw new Error(`the mock server was not ready after ${patience / 1000} s: ${complained.join("").trim()}`);
    }
    await sleep(20);
  }
  return new Server(url, child);
}

/** The server that `MOCKSERVER_URL` names, or else a new one. */
export async function existingOrNew(options: ServerOptions = {}): Promise<Server> {
  const url = process.env["MOCKSERVER_URL"];
  if (url === undefined || url === "") return startServer(options);
  const server = new Server(url.replace(/\/+$/, "").replace(/\/(api|_mock)$/, ""), undefined);
  const told = await server.newWorld().health().catch((error: Error) => {
    throw new Error(`MOCKSERVER_URL: ${error.message}`, { cause: error });
  });
  if (told.status !== "ok") throw new Error(`MOCKSERVER_URL: what answers at ${server.url} is no mock server`);
  return server;
}
