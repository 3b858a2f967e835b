/** The wire to a server's control interface: its routes by operationId, and one kind of refusal. */
import { validateHeaderValue } from "node:http";
import { URLSearchParams } from "node:url";
import { answerOf, textOf } from "./http.js";
/** Method and path of every control operation, as `/_mock/openapi.yaml` has them. */
export const ROUTES = {
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
    operation;
    status;
    errors;
    name = "ControlRefused";
    constructor(message, 
    /** The operationId of the control operation. */
    operation, status, 
    /** Messages by field, for what was invalid. */
    errors) {
        super(message);
        this.operation = operation;
        this.status = status;
        this.errors = errors;
    }
}
/** One server as one token sees it. */
export class Wire {
    token;
    controlToken;
    base;
    /** `url` is the server's address, that of its API or that of its control interface. */
    constructor(url, token, controlToken) {
        this.token = token;
        this.controlToken = controlToken;
        this.base = url.replace(/\/+$/, "").replace(/\/(api|_mock)$/, "");
    }
    /** The same server for another token. */
    asToken(token) {
        return new Wire(this.base, token, this.controlToken);
    }
    /** What the server answers: a JSON value, or a text. Throws `ControlRefused`, and `Error` when nobody answers. */
    async call(operation, given = {}) {
        const answer = await this.send(operation, given);
        const text = await textOf(answer).catch(this.gone);
        return (answer.headers["content-type"]?.includes("json") ? JSON.parse(text) : text);
    }
    /** The server-sent events of an operation, each by its name and its data, until the server ends them. */
    async *events(operation, given = {}) {
        const answer = await this.send(operation, given);
        let [rest, name] = ["", ""];
        try {
            for await (const piece of answer) {
                const lines = (rest + piece).split("\n");
                rest = lines.pop() ?? "";
                for (const line of lines) {
                    const [field, value] = [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)];
                    if (field === "event")
                        name = value;
                    else if (field === "data")
                        yield [name, JSON.parse(value)];
                }
            }
        }
        catch (error) {
            this.gone(error);
        }
    }
    async send(operation, given) {
        const [method, template] = ROUTES[operation];
        const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(given.path?.[name] ?? ""));
        const query = new URLSearchParams();
        for (const [name, value] of Object.entries(given.query ?? {})) {
            if (value !== undefined && value !== null)
                query.set(name, String(value));
        }
        const headers = { Authorization: `Bearer ${this.token}` };
        if (this.controlToken !== undefined)
            headers["X-Mock-Control-Token"] = this.controlToken;
        if (given.body !== undefined)
            headers["Content-Type"] = "application/json";
        // What no header can carry is refused here, in words of its own.
        for (const [name, value] of Object.entries(headers))
            validateHeaderValue(name, value);
        const body = given.body === undefined ? undefined : JSON.stringify(given.body);
        const address = `${this.base}/_mock${path}${query.size > 0 ? `?${query}` : ""}`;
        const answer = await answerOf(address, { method, headers, body }).catch(this.gone);
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300)
            return answer;
        throw refusal(operation, status, await textOf(answer).catch(this.gone), address);
    }
    gone = (error) => {
        throw new Error(`no mock server answers at ${this.base}: ${reason(error)}`, { cause: error });
    };
}
function refusal(operation, status, body, address) {
    try {
        const { message, errors = {} } = (JSON.parse(body) ?? {});
        if (typeof message === "string")
            return new ControlRefused(message, operation, status, errors);
    }
    catch (error) {
        if (!(error instanceof SyntaxError))
            throw error;
    }
    return new ControlRefused(`${address} answered ${status}: ${body.slice(0, 200)}`, operation, status, {});
}
/** Where a name has several addresses, the error is one of each, and has no message of its own. */
function reason(error) {
    if (error instanceof AggregateError)
        return error.errors.map(reason).join(", ");
    return error instanceof Error && error.message !== "" ? error.message : String(error);
}
