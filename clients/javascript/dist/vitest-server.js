import { existingOrNew } from "./server.js";
/** Starts it; Vitest calls what this returns at the end. `MOCKSERVER_…` variables are its options. */
export default async function setup(project) {
    const server = await existingOrNew();
    project.provide("mockserverUrl", server.url);
    return () => server.stop();
}
