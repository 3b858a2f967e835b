import { ControlRefused, Server, VerificationFailed, newWorld, startServer } from "prepbusiness-mockserver";
import { test } from "prepbusiness-mockserver/vitest";
import { describe, expect } from "vitest";

import { Billing } from "./billing.js";

describe.concurrent("a world", () => {
  test("declines until that is taken back, and is verified", async ({ world }) => {
    const billing = new Billing(world);
    const invoice = await billing.finalized();
    const declined = await world.declines("expired_card");
    expect(await billing.collect(invoice)).toBe(402);
    expect(await declined.struck()).toBe(1);
    await declined.undo();
    await world.clock.advance("P3D");
    expect(await billing.collect(invoice)).toBe(200);
    await world.verify(
      [
        { operation: "collectInvoice", status: 402, at_most: 1 },
        { operation: "collectInvoice", status: 200 },
      ],
      { in_order: true },
    );
    expect((await world.ledger({ invoice: invoice.id })).map((attempt) => attempt.charged)).toEqual([false, true]);
  });

  test("loses the answer to the next collect, and charges once", async ({ world }) => {
    const billing = new Billing(world);
    const invoice = await billing.finalized();
    expect(await world.nextCollect("lost_answer")).toEqual(["lost_answer"]);
    expect(await billing.collect(invoice)).toBeGreaterThanOrEqual(500);
    expect(await world.nextCollect()).toEqual([]);
    await billing.collect(invoice);
    expect((await world.ledger()).filter((attempt) => attempt.charged)).toHaveLength(1);
  });

  test("shows what was said, as rows, as HAR and as commands", async ({ world }) => {
    await new Billing(world).finalized();
    const page = await world.journal({ operation: "createInvoice" });
    expect(page).toHaveLength(1);
    expect(page[0]?.response.status).toBe(200);
    expect(page.cursor).toBeGreaterThan(1);
    expect((await world.journal({ since: page.cursor })).length).toBe(0);
    expect((await world.har()).log.entries).toHaveLength(3);
    expect((await world.curl()).join("\n")).toContain("curl ");
    await world.clearJournal();
    expect(await world.journal()).toHaveLength(0);
  });

  test("says which exchange came nearest where none is as expected", async ({ world }) => {
    const billing = new Billing(world);
    await billing.collect(await billing.finalized());
    const verified = world.verify({ operation: "collectInvoice", status: 402 });
    await expect(verified).rejects.toThrow(VerificationFailed);
    await expect(verified).rejects.toThrow(/200/);
  });

  test("has a clock, snapshots, cards, faults and webhooks", async ({ world }) => {
    const billing = new Billing(world);
    expect((await world.clock.freeze("2027-01-31T12:00:00Z")).toISOString()).toBe("2027-01-31T12:00:00.000Z");
    expect((await world.clock.advance("P1M")).toISOString()).toBe("2027-02-28T12:00:00.000Z");
    const before = await world.snapshot();
    const invoice = await billing.finalized();
    expect((await before.diff()).invoices.added).toHaveLength(1);
    const card = await world.card(1, "pm_card_chargeDeclinedExpiredCard");
    expect(await billing.collect(invoice)).toBe(402);
    await card.undo();
    expect(await billing.collect(invoice)).toBe(200);
    expect((await world.webhooks.deliveries()).map((one) => one.type)).toEqual(["invoice.created"]);
    await before.undo();
    expect(await world.snapshots()).toEqual([]);
    expect(await world.ledger()).toEqual([]);
    const busy = await world.fault({ kind: "status", status: 429, count: 1 });
    expect((await billing.send("GET", "/billing/invoices")).status).toBe(429);
    expect(await busy.struck()).toBe(1);
    await busy.undo();
    await busy.undo();
    expect(await world.faults()).toEqual([]);
  });

  test("is frozen for as long as that is wanted", async ({ world }) => {
    const frozen = await world.frozen("2027-01-01T00:00:00Z");
    expect((await world.clock.get()).frozen).toBe(true);
    await frozen.undo();
    const after = await world.clock.get();
    expect(after.frozen).toBe(false);
    expect(after.now.startsWith("2027-01-01")).toBe(false);
  });

  test("is its own: another one sees nothing of it", async ({ world }) => {
    const invoice = await new Billing(world).finalized();
    const other = world.world();
    const seen = await fetch(`${other.url}/billing/invoices?q=${encodeURIComponent(`id:"${invoice.id}"`)}`, {
      headers: other.headers,
    });
    expect(((await seen.json()) as { total: number }).total).toBe(0);
    expect(world.tokenFor("merchant1")).toBe(`merchant1@${world.name}`);
  });

  test("tells what the server refuses, in the server's words", async ({ world }) => {
    const refused = world.fault({ kind: "latency" });
    await expect(refused).rejects.toThrow(ControlRefused);
    await expect(refused).rejects.toMatchObject({ operation: "addFault", status: 400 });
  });

  test("may be about a request that the spec forbids", async ({ world }) => {
    world.allow("invalid");
    expect((await new Billing(world).send("GET", "/billing/invoices?page=first")).status).toBe(422);
  });
});

describe("a server", () => {
  test("starts with options, and is gone when it is stopped", async () => {
    const server = await startServer({ options: ["--fixture", "empty"] });
    const world = server.newWorld();
    expect((await world.health()).fixture).toBe("empty");
    await server.stop();
    await expect(world.health()).rejects.toThrow(`no mock server answers at ${server.url}`);
  });

  test("that can't start says why", async () => {
    await expect(startServer({ options: ["--fixture", "defualt"] })).rejects.toThrow("did you mean default?");
    await expect(startServer({ command: ["no-such-program"] })).rejects.toThrow("can't start no-such-program");
  });

  test("is controlled by its token", async () => {
    const server = await startServer({ options: ["--control-token", "secret"] });
    expect(server).toBeInstanceOf(Server);
    await expect(server.newWorld().ledger()).rejects.toThrow("control token");
    expect(await newWorld({ url: server.api, controlToken: "secret" }).ledger()).toEqual([]);
    await server.stop();
  });
});
