import { defineConfig } from "@playwright/test";
import type { MockserverWorker } from "prepbusiness-mockserver/playwright";

export default defineConfig<object, MockserverWorker>({
  testDir: "test",
  testMatch: "**/*.spec.ts",
  timeout: 120_000,
  expect: { timeout: 60_000 },
  reporter: "line",
  outputDir: process.env.PLAYWRIGHT_OUTPUT ?? "test-results",
  use: {
    mockServerOptions: ["--stripe-delay", "0"],
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // As root, Chromium runs without its sandbox or not at all.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
