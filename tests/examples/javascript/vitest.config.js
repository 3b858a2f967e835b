import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "happy-dom",
    // The origin of the page, which the fake must be told to obey: --control-cors http://localhost:3000
    environmentOptions: { happyDOM: { url: "http://localhost:3000" } },
    include: ["test/**/*.test.js"],
  },
});
