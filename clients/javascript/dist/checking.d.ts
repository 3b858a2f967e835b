import { World, type WorldOptions } from "./world.js";
/** What a test may be about: requests that the spec forbids, or answers of the mock server that do. */
export type Allowance = "invalid" | "broken";
/** A world that only one test is in. */
export declare class TestWorld extends World {
    private readonly allowed;
    /** Let the test pass although its client sends what the spec forbids, or the mock server breaks its own spec. */
    allow(...allowances: Allowance[]): void;
    /** Throws for what was said against the spec. */
    check(): Promise<void>;
    /** The last exchanges, for a test that failed. */
    told(): Promise<string>;
}
/** A world for the test of that title. */
export declare function worldFor(title: string, options: Omit<WorldOptions, "name">): TestWorld;
