import { type TestWorld } from "./checking.js";
/** What a test can ask for. */
export interface MockserverFixtures {
    /** A world that only this test is in. The test fails if its client sent what the spec forbids. */
    world: TestWorld;
}
export declare const test: import("vitest").TestAPI<{
    world: TestWorld;
}>;
