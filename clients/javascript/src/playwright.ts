/** Playwright Test with a server for each of its workers, and a world for each test. */
import { test as base } from "@playwright/test";
import { type TestWorld, worldFor } from "./checking.js";
import { type Server, existingOrNew } from "./server.js";

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

export const test = base.extend<MockserverFixtures, MockserverWorker>({
  mockServerOptions: [[], { scope: "worker", option: true }],
  mockServerToken: ["provider", { scope: "worker", option: true }],
  mockServer: [
    async ({ mockServerOptions }, use) => {
      const server = await existingOrNew({ options: mockServerOptions });
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  world: async ({ mockServer, mockServerToken }, use, testInfo) => {
    const world = worldFor(testInfo.title, { url: mockServer.url, token: mockServerToken });
    await use(world);
    try {
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("mock server", { body: await world.told(), contentType: "text/plain" });
      }
      await world.check();
    } finally {
      await world.delete();
    }
  },
});
