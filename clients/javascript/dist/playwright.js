/** Playwright Test with a server for each of its workers, and a world for each test. */
import { test as base } from "@playwright/test";
import { worldFor } from "./checking.js";
import { existingOrNew } from "./server.js";
export { expect } from "@playwright/test";
export const test = base.extend({
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
        }
        finally {
            await world.delete();
        }
    },
});
