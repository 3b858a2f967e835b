import { type TestWorld } from "./checking.js";
import { type Server } from "./server.js";
export { expect } from "@playwright/test";
/** What a test can ask for. */
export interface MockserverFixtures {
    /** A world that only this test is in. The test fails if its client sent what the spec forbids. */
    world: TestWorld;
}
/** What a worker has, and what the configuration can set by `use`. */
export interface MockserverWorker {
    /** The server: the one of `MOCKSERVER_URL`, or one of the worker's own. */
    mockServer: Server;
    /** Options of `mockserver serve`. */
    mockServerOptions: string[];
    /** The token of the fixture that tests use. */
    mockServerToken: string;
}
export declare const test: import("@playwright/test").TestType<import("@playwright/test").PlaywrightTestArgs & import("@playwright/test").PlaywrightTestOptions & MockserverFixtures, import("@playwright/test").PlaywrightWorkerArgs & import("@playwright/test").PlaywrightWorkerOptions & MockserverWorker>;
