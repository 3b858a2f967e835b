/** The world of one test, which fails when its client sent what the spec forbids. */
import { randomUUID } from "node:crypto";
import type { Page } from "./handles.js";
import type { Entry } from "./types.js";
import { World, type WorldOptions, wireTo } from "./world.js";

/** What a test may be about: requests that the spec forbids, or answers of the mock server that do. */
export type Allowance = "invalid" | "broken";

/** Exchanges that a failing test shows. */
const MOST_SHOWN = 10;
/** Characters of a body that are shown. */
const LONGEST_BODY = 2_000;
/** Kinds of fault that are there to break an answer. */
const SPOILING = new Set(["schema", "truncated", "malformed", "drip", "empty", "reset", "status"]);
const TELLING = new Set(["content-type", "x-selected-client-id", "prefer", "idempotency-key"]);

/** A world that only one test is in. */
export class TestWorld extends World {
  private readonly allowed = new Set<Allowance>();

  /** Let the test pass although its client sends what the spec forbids, or the mock server breaks its own spec. */
  allow(...allowances: Allowance[]): void {
    for (const allowance of allowances) this.allowed.add(allowance);
  }

  /** Throws for what was said against the spec. */
  async check(): Promise<void> {
    const page = await this.journal({ invalid: true });
    const complaints = page.flatMap(complaintsOf).filter(([allowance]) => !this.allowed.has(allowance));
    if (page.lost > 0) complaints.push(["invalid", lossOf(page)]);
    if (complaints.length === 0) return;
    const shown = complaints.slice(0, MOST_SHOWN).map(([, text]) => text);
    if (complaints.length > MOST_SHOWN) shown.push(`and ${complaints.length - MOST_SHOWN} more`);
    const names = [...new Set(complaints.map(([allowance]) => JSON.stringify(allowance)))].join(", ");
    throw new Error([...shown, `A test that is about just that says world.allow(${names}).`].join("\n\n"));
  }

  /** The last exchanges, for a test that failed. */
  async told(): Promise<string> {
    const page = await this.journal({ limit: MOST_SHOWN });
    if (page.length === 0) return `Nobody asked in the world ${this.name}.`;
    return [`The last exchanges in the world ${this.name}:`, ...page.map(exchange)].join("\n");
  }
}

/** A world for the test of that title. */
export function worldFor(title: string, options: Omit<WorldOptions, "name">): TestWorld {
  // A token travels in a header, which carries plain ASCII; and a run may share its server with others.
  const readable = title.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 100);
  return new TestWorld(wireTo({ ...options, name: `${readable}-${randomUUID().slice(0, 12)}` }));
}

function lossOf(page: Page<Entry>): string {
  return `The journal has lost ${page.lost} exchanges, which may not have been looked at: start the server with a larger --journal-size.`;
}

function complaintsOf(entry: Entry): [Allowance, string][] {
  const found: [Allowance, string][] = [];
  if (!entry.request.valid) {
    found.push(["invalid", complaint("The client sent what the spec forbids", entry, entry.request.problems)]);
  }
  if (!entry.response.valid && !entry.faults.some((fault) => SPOILING.has(fault.kind))) {
    found.push(["broken", complaint("The mock server broke its own spec", entry, entry.response.problems)]);
  }
  return found;
}

function complaint(title: string, entry: Entry, problems: string[]): string {
  return [`${title}:`, ...problems.map((problem) => `  - ${problem}`), "", exchange(entry)].join("\n");
}

/** One exchange to read: what came, what went, and what decided the answer. */
function exchange(entry: Entry): string {
  const { request, response } = entry;
  const lines = [`${entry.number}. ${request.method} ${request.url}`];
  for (const [name, value] of Object.entries(request.headers)) {
    if (TELLING.has(name)) lines.push(`     ${name}: ${value}`);
  }
  if (request.body !== null && request.body !== undefined) lines.push(`     ${bodyText(request.body)}`);
  lines.push(`   was answered ${response.status ?? "nothing"} (${entry.because})`);
  if (response.body !== null && response.body !== undefined) lines.push(`     ${bodyText(response.body)}`);
  return lines.join("\n");
}

function bodyText(body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return text.length <= LONGEST_BODY ? text : `${text.slice(0, LONGEST_BODY)}… (${text.length} characters)`;
}
