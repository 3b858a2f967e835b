/** For Vitest's `globalSetup`: one server for the whole run, the one of `MOCKSERVER_URL` or one of its own. */
import type { TestProject } from "vitest/node";
import { existingOrNew } from "./server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The server's address. */
    mockserverUrl: string;
  }
}

/** Starts it; Vitest calls what this returns at the end. `MOCKSERVER_…` variables are its options. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await existingOrNew();
  project.provide("mockserverUrl", server.url);
  return () => server.stop();
}
