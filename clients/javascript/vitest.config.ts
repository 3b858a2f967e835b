import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { globalSetup: ["./dist/vitest-server.js"], include: ["test/**/*.test.ts"], testTimeout: 60_000 },
});
