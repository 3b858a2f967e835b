/** Vitest with a world for each test; `globalSetup` names `prepbusiness-mockserver/vitest-server`. */
import { inject, test as base } from "vitest";
import { worldFor } from "./checking.js";
export const test = base.extend({
    world: async ({ task }, use) => {
        const url = inject("mockserverUrl");
        if (url === undefined) {
            throw new Error('there is no mock server: set globalSetup: ["prepbusiness-mockserver/vitest-server"]');
        }
        const world = worldFor(task.name, { url });
        await use(world);
        try {
            if (task.result?.state === "fail")
                console.error(await world.told());
            await world.check();
        }
        finally {
            await world.delete();
        }
    },
});
