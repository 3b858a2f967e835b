/** Vitest with a world for each test; `globalSetup` names `prepbusiness-mockserver/vitest-server`. */
import { inject, test as base } from "vitest";
import { type TestWorld, worldFor } from "./checking.js";
import type {} from "./vitest-server.js";

/** What a test can ask for. */
export interface MockserverFixtures {
  /** A world that only this test is in. The test fails if its client sent what the spec forbids. */
  world: TestWorld;
}

export const test = base.extend<MockserverFixtures>({
  world: async ({ task }, use) => {
    const url = inject("mockserverUrl") as string | undefined;
    if (url === undefined) {
      throw new Error('there is no mock server: set globalSetup: ["prepbusiness-mockserver/vitest-server"]');
    }
    const world = worldFor(task.name, { url });
    await use(world);
    try {
      if (task.result?.state === "fail") console.error(await world.told());
      await world.check();
    } finally {
      await world.delete();
    }
  },
});
