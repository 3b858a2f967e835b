/** The wire to a server's control interface: its routes by operationId, and one kind of refusal. */
import type { Answer, ControlOperations } from "./types.js";

/** Method and path of every control operation, as `/_mock/openapi.yaml` has them. */
export const ROUTES: Record<keyof ControlOperations, readonly [string, string]> = {
  getHealth: ["GET", "/health"],
  getSpecYaml: ["GET", "/spec.yaml"],
  getSpecJson: ["GET", "/spec.json"],
  getControlSpec: ["GET", "/openapi.yaml"],
  getControlSpecJson: ["GET", "/openapi.json"],
  listChoices: ["GET", "/choices"],
  resetWorld: ["POST", "/reset"],
  exportWorld: ["GET", "/export"],
  getLedger: ["GET", "/stripe/ledger"],
  getClock: ["GET", "/clock"],
  freezeClock: ["POST", "/clock/freeze"],
  runClock: ["POST", "/clock/run"],
  setClock: ["POST", "/clock/set"],
  advanceClock: ["POST", "/clock/advance"],
  listWorlds: ["GET", "/worlds"],
  deleteWorld: ["DELETE", "/worlds/{world}"],
  listSnapshots: ["GET", "/snapshots"],
  putSnapshot: ["PUT", "/snapshots/{snapshot}"],
  deleteSnapshot: ["DELETE", "/snapshots/{snapshot}"],
  restoreSnapshot: ["POST", "/snapshots/{snapshot}/restore"],
  exportSnapshot: ["GET", "/snapshots/{snapshot}/export"],
  diffSnapshot: ["GET", "/snapshots/{snapshot}/diff"],
  getWebhooks: ["GET", "/webhooks"],
  putWebhooks: ["PUT", "/webhooks"],
  deleteWebhooks: ["DELETE", "/webhooks"],
  listDeliveries: ["GET", "/webhooks/deliveries"],
  getDelivery: ["GET", "/webhooks/deliveries/{delivery}"],
  redeliver: ["POST", "/webhooks/deliveries/{delivery}/redeliver"],
  listOutcomes: ["GET", "/outcomes"],
  putCard: ["PUT", "/merchants/{merchant}/card"],
  getNext: ["GET", "/stripe/next"],
  addNext: ["POST", "/stripe/next"],
  clearNext: ["DELETE", "/stripe/next"],
  listFaults: ["GET", "/faults"],
  addFault: ["POST", "/faults"],
  deleteFaults: ["DELETE", "/faults"],
  deleteFault: ["DELETE", "/faults/{fault}"],
  getJournal: ["GET", "/journal"],
  clearJournal: ["DELETE", "/journal"],
  verifyJournal: ["POST", "/journal/verify"],
  getWorld: ["GET", "/world"],
  listMerchants: ["GET", "/merchants"],
  listInvoicesOfWorld: ["GET", "/invoices"],
  getInvoice: ["GET", "/invoices/{invoice}"],
  listChargesOfWorld: ["GET", "/charges"],
  getExchange: ["GET", "/journal/{exchange}"],
  streamJournal: ["GET", "/journal/stream"],
};

/** The server refused a control request; the message is the server's. */
export class ControlRefused extends Error {
  override readonly name = "ControlRefused";

  constructor(
    message: string,
    /** The operationId of the control operation. */
    readonly operation: string,
    readonly status: number,
    /** Messages by field, for what was invalid. */
    readonly errors: Record<string, string[]>,
  ) {
    super(message);
  }
}

/** What goes with a control request: values for its path and its query, and a JSON body. What is undefined is left out. */
export interface Given {
  path?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
}

/** One server as one token sees it. */
export class Wire {
  readonly base: string;

  /** `url` is the server's address, that of its API or that of its control interface. */
  constructor(
    url: string,
    readonly token: string,
    private readonly controlToken: string | undefined,
  ) {
    this.base = url.replace(/\/+$/, "").replace(/\/(api|_mock)$/, "");
  }

  /** The same server for another token. */
  asToken(token: string): Wire {
    return new Wire(this.base, token, this.controlToken);
  }

  /** What the server answers: a JSON value, or a text. Throws `ControlRefused`, and `Error` when nobody answers. */
  async call<Id extends keyof ControlOperations>(operation: Id, given: Given = {}): Promise<Answer<Id>> {
    const answer = await this.send(operation, given);
    const json = answer.headers.get("Content-Type")?.includes("json") ?? false;
    return (json ? await answer.json() : await answer.text()) as Answer<Id>;
  }

  /** The server-sent events of an operation, each by its name and its data, until the server ends them. */
  async *events(operation: keyof ControlOperations, given: Given = {}): AsyncGenerator<[string, unknown]> {
    const answer = await this.send(operation, given);
    const decoder = new TextDecoder();
    let [rest, name] = ["", ""];
    for await (const piece of answer.body ?? []) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [field, value] = [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)];
        if (field === "event") name = value;
        else if (field === "data") yield [name, JSON.parse(value)];
      }
    }
  }

  private async send(operation: keyof ControlOperations, given: Given): Promise<Response> {
    const [method, template] = ROUTES[operation];
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given.path?.[name] ?? ""));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(given.query ?? {})) {
      if (value !== undefined && value !== null) query.set(name, String(value));
    }
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
    if (this.controlToken !== undefined) headers["X-Mock-Control-Token"] = this.controlToken;
    const init: RequestInit = { method, headers };
    if (given.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(given.body);
    }
    const address = `${this.base}/_mock${path}${query.size > 0 ? `?${query}` : ""}`;
    let answer: Response;
    try {
      answer = await fetch(address, init);
    } catch (error) {
      throw new Error(`no mock server answers at ${this.base}: ${reason(error)}`, { cause: error });
    }
    if (answer.ok) return answer;
    throw await refusal(operation, answer);
  }
}

async function refusal(operation: string, answer: Response): Promise<ControlRefused> {
  const body = await answer.text();
  try {
    const { message, errors = {} } = JSON.parse(body) as { message: string; errors?: Record<string, string[]> };
    if (typeof message === "string") return new ControlRefused(message, operation, answer.status, errors);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const text = `${answer.url} answered ${answer.status}: ${body.slice(0, 200)}`;
  return new ControlRefused(text, operation, answer.status, {});
}

function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== "" ? cause.message : String(error);
}
