/** One world of a mock server, as a tester sees it: steers and inspects it. Every control operation is a method. */
import { randomUUID } from "node:crypto";
import { Wire } from "./connection.js";
import { ClockControl, GivenCard, KeptSnapshot, PlannedFault, WebhooksControl, pageOf, rowsOf, } from "./handles.js";
/** The world of a token without `@NAME`. */
export const COMMON = "common";
/** Expectations that the journal does not meet; the message shows the nearest misses. */
export class VerificationFailed extends Error {
    verdict;
    name = "VerificationFailed";
    constructor(verdict) {
        super(verdict.message);
        this.verdict = verdict;
    }
}
/** A world, by a token such as `provider@checkout-17`. What the server refuses is thrown as `ControlRefused`. */
export class World {
    wire;
    clock;
    webhooks;
    constructor(wire) {
        this.wire = wire;
        this.clock = new ClockControl(wire);
        this.webhooks = new WebhooksControl(wire);
    }
    /** The address of the API. */
    get url() {
        return `${this.wire.base}/api`;
    }
    /** What a client of the API sends to be in this world. */
    get token() {
        return this.wire.token;
    }
    /** The header that puts a request to the API into this world. */
    get headers() {
        return { Authorization: `Bearer ${this.token}` };
    }
    /** The world's name. */
    get name() {
        const at = this.token.indexOf("@");
        return (at < 0 ? "" : this.token.slice(at + 1)) || COMMON;
    }
    /** Another world of the same server, under the same token; without a name, one that nobody has used. */
    world(name = randomUUID()) {
        return new World(this.wire.asToken(`${this.token.split("@", 1)[0]}@${name}`));
    }
    /** Another token of the fixture, such as `merchant1`, for this world. */
    tokenFor(token) {
        return this.name === COMMON ? token : `${token}@${this.name}`;
    }
    /** That the server is ready, and with what. */
    async health() {
        return this.wire.call("getHealth");
    }
    /** The API's OpenAPI document. */
    async spec() {
        return this.wire.call("getSpecJson");
    }
    /** The API's OpenAPI document, as it was written. */
    async specYaml() {
        return this.wire.call("getSpecYaml");
    }
    /** The control interface's own OpenAPI document. */
    async controlSpecYaml() {
        return this.wire.call("getControlSpec");
    }
    /** The same, decoded. */
    async controlSpec() {
        return this.wire.call("getControlSpecJson");
    }
    /** The open choices, as the server makes them. */
    async choices() {
        return (await this.wire.call("listChoices")).data;
    }
    /** What this world is, and how much is in it. */
    async summary() {
        return this.wire.call("getWorld");
    }
    /** The merchants, with their cards and how their next attempts to pay end. */
    async merchants() {
        return (await this.wire.call("listMerchants")).data;
    }
    /** A page of the invoices, with what the API does not show; `q` is a search as the API takes it. */
    async invoices(chosen = {}) {
        return rowsOf(await this.wire.call("listInvoicesOfWorld", { query: chosen }));
    }
    /** One invoice, with its charges and what was tried. */
    async invoice(id) {
        return this.wire.call("getInvoice", { path: { invoice: id } });
    }
    /** A page of the charges, with their invoices. */
    async charges(chosen = {}) {
        return rowsOf(await this.wire.call("listChargesOfWorld", { query: chosen }));
    }
    /** The worlds of the server. */
    async worlds() {
        return (await this.wire.call("listWorlds")).data;
    }
    /** Forget this world; its next use makes it anew. */
    async delete() {
        await this.wire.call("deleteWorld", { path: { world: this.name } });
    }
    /** Start over from the fixture. */
    async reset() {
        await this.wire.call("resetWorld");
    }
    /** The world as the text of a fixture file. */
    async export() {
        return this.wire.call("exportWorld");
    }
    /** Every attempt to charge a card, or those for one invoice. */
    async ledger(chosen = {}) {
        return (await this.wire.call("getLedger", { query: { ...chosen } })).data;
    }
    /** The world's snapshots. */
    async snapshots() {
        return (await this.wire.call("listSnapshots")).data;
    }
    /** Keep the world as it is, or what the text of a fixture file describes, under a name. */
    async snapshot(name, given = {}) {
        const path = { snapshot: name ?? randomUUID() };
        return new KeptSnapshot(this.wire, await this.wire.call("putSnapshot", { path, body: given }), name === undefined);
    }
    /** Make the world what it was when the snapshot was taken. */
    async restore(name) {
        await this.wire.call("restoreSnapshot", { path: { snapshot: name } });
    }
    /** Freeze the world's clock until that is taken back. */
    async frozen(at) {
        return this.clock.frozen(at);
    }
    /** Everything that can be asked for: outcomes, cards, faults, and what they take. */
    async outcomes() {
        return this.wire.call("listOutcomes");
    }
    /** Give a merchant another card. */
    async card(merchant, card) {
        return new GivenCard(this.wire, await this.wire.call("putCard", { path: { merchant }, body: { card } }));
    }
    /** Say how the next attempts to charge end, after those that were said before; all that are ahead. */
    async nextCollect(...outcomes) {
        for (const outcome of outcomes)
            await this.wire.call("addNext", { body: { outcome } });
        return (await this.wire.call("getNext")).outcomes;
    }
    /** Let the next attempts end as the cards say. */
    async clearNextCollect() {
        await this.wire.call("clearNext");
    }
    /** Let attempts to charge end so, whatever the cards say. */
    async declines(outcome = "generic_decline", limits = {}) {
        return this.fault({ kind: "outcome", outcome, ...limits });
    }
    /** Plan a fault. `outcomes` says what each kind takes. */
    async fault(fault) {
        return new PlannedFault(this.wire, await this.wire.call("addFault", { body: fault }));
    }
    /** The world's faults, with how often they struck. */
    async faults() {
        return (await this.wire.call("listFaults")).data;
    }
    /** Take all faults away. */
    async clearFaults() {
        await this.wire.call("deleteFaults");
    }
    /** What was said in this world, the oldest first; its `cursor` is the `since` for those that follow. */
    async journal(chosen = {}) {
        const answer = await this.wire.call("getJournal", { query: chosen });
        return pageOf(answer);
    }
    /** What was said, as a HAR 1.2 file. */
    async har(chosen = {}) {
        return (await this.wire.call("getJournal", { query: { ...chosen, format: "har" } }));
    }
    /** Commands that send the requests again. */
    async curl(chosen = {}) {
        const text = (await this.wire.call("getJournal", { query: { ...chosen, format: "curl" } }));
        return text.split("\n").filter((line) => line !== "");
    }
    /** One exchange of the journal, by its number. */
    async exchange(number) {
        return (await this.wire.call("getExchange", { path: { exchange: number } }));
    }
    /** What is said, as it is said, until the server ends the stream; `since` the last number, to go on with it. */
    async *stream(chosen = {}) {
        for await (const [name, data] of this.wire.events("streamJournal", { query: chosen })) {
            if (name === "exchange")
                yield data;
        }
    }
    /** Empty the journal. */
    async clearJournal() {
        await this.wire.call("clearJournal");
    }
    /**
     * Assert what was said; throws `VerificationFailed` with the nearest misses.
     *
     * `at_most` can't be verified of exchanges that the journal has lost, which keeps the latest alone: then it fails, and
     * says so. A larger `--journal-size`, or `since` a number after them, helps.
     */
    async verify(expect, how = {}) {
        const body = { expect: Array.isArray(expect) ? expect : [expect], in_order: false, since: 0, ...how };
        const verdict = await this.wire.call("verifyJournal", { body });
        if (!verdict.verified)
            throw new VerificationFailed(verdict);
        return verdict;
    }
}
/** A world; without a name, one that nobody else is in. It begins with the first request that names it. */
export function newWorld(options = {}) {
    return new World(wireTo(options));
}
/** The wire to a world; `MOCKSERVER_URL` and `MOCKSERVER_CONTROL_TOKEN` stand for what is left out. */
export function wireTo({ url, token = "provider", name = randomUUID(), controlToken }) {
    // A variable that is empty counts as none.
    const address = url ?? (process.env["MOCKSERVER_URL"] || "http://127.0.0.1:4010");
    const needed = controlToken ?? process.env["MOCKSERVER_CONTROL_TOKEN"];
    return new Wire(address, name === COMMON ? token : `${token}@${name}`, needed === "" ? undefined : needed);
}
