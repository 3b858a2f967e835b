/** The wire to a server's control interface: its routes by operationId, and one kind of refusal. */
import { type IncomingMessage, validateHeaderValue } from "node:http";
import { URLSearchParams } from "node:url";
import { answerOf, textOf } from "./http.js";
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
    const text = await textOf(answer).catch(this.gone);
    return (answer.headers["content-type"]?.includes("json") ? JSON.parse(text) : text) as Answer<Id>;
  }

  /** The server-sent events of an operation, each by its name and its data, until the server ends them. */
  async *events(operation: keyof ControlOperations, given: Given = {}): AsyncGenerator<[string, unknown]> {
    const answer = await this.send(operation, given);
    let [rest, name] = ["", ""];
    try {
      for await (const piece of answer) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const [field, value] = [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)];
          if (field === "event") name = value;
          else if (field === "data") yield [name, JSON.parse(value)];
        }
      }
    } catch (error) {
      this.gone(error);
    }
  }

  private async send(operation: keyof ControlOperations, given: Given): Promise<IncomingMessage> {
    const [method, template] = ROUTES[operation];
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given.path?.[name] ?? ""));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(given.query ?? {})) {
      if (value !== undefined && value !== null) query.set(name, String(value));
    }
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
    if (this.controlToken !== undefined) headers["X-Mock-Control-Token"] = this.controlToken;
    if (given.body !== undefined) headers["Content-Type"] = "application/json";
    // What no header can carry is refused here, in words of its own.
    for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, value);
    const body = given.body === undefined ? undefined : JSON.stringify(given.body);
    const address = `${this.base}/_mock${path}${query.size > 0 ? `?${query}` : ""}`;
    const answer = await answerOf(address, { method, headers, body }).catch(this.gone);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw refusal(operation, status, await textOf(answer).catch(this.gone), address);
  }

  private readonly gone = (error: unknown): never => {
    throw new Error(`no mock server answers at ${this.base}: ${reason(error)}`, { cause: error });
  };
}

function refusal(operation: string, status: number, body: string, address: string): ControlRefused {
  try {
    const { message, errors = {} } = (JSON.parse(body) ?? {}) as { message: string; errors?: Record<string, string[]> };
    if (typeof message === "string") return new ControlRefused(message, operation, status, errors);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new ControlRefused(`${address} answered ${status}: ${body.slice(0, 200)}`, operation, status, {});
}

/** Where a name has several addresses, the error is one of each, and has no message of its own. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(", ");
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
