/** Starts `mockserver serve` as a process of its own on a free port, waits until it is ready, and ends it. */
import { type ChildProcess } from "node:child_process";
import { type World, type WorldOptions } from "./world.js";
/** How a server is started. */
export interface ServerOptions {
    /** Options of `mockserver serve`, such as `["--fixture", "declines"]`. */
    options?: readonly string[];
    /** What starts the program; `MOCKSERVER_COMMAND`, its words separated by blanks, or `mockserver`. */
    command?: readonly string[];
    /** Milliseconds that it may take to become ready; 60,000 unless given. */
    patience?: number;
}
/** A server that runs. */
export declare class Server {
    /** Its address, without a path. */
    readonly url: string;
    private readonly child;
    constructor(
    /** Its address, without a path. */
    url: string, child: ChildProcess | undefined);
    /** The address of the API. */
    get api(): string;
    /** A world of it that nobody else is in. */
    newWorld(options?: Omit<WorldOptions, "url">): World;
    /** End it, if it was started here. */
    stop(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
/** A server on a free port. Throws with what it printed when it does not become ready. */
export declare function startServer({ options, command, patience, }?: ServerOptions): Promise<Server>;
/** The server that `MOCKSERVER_URL` names, or else a new one. */
export declare function existingOrNew(options?: ServerOptions): Promise<Server>;
