import { Wire } from "./connection.js";
import { ClockControl, type FrozenClock, GivenCard, KeptSnapshot, type Page, PlannedFault, type Rows, WebhooksControl } from "./handles.js";
import type { Attempt, Card, ChargeRecord, ChoiceInfo, Chosen, Entry, Expectation, Fault, GivenFault, Har, Health, InvoiceRecord, InvoiceStory, Line, MerchantInfo, Moment, OutcomeOrCard, Snapshot, Verdict, Vocabulary, WorldInfo, WorldSummary } from "./types.js";
/** The world of a token without `@NAME`. */
export declare const COMMON = "common";
/** Expectations that the journal does not meet; the message shows the nearest misses. */
export declare class VerificationFailed extends Error {
    readonly verdict: Verdict;
    readonly name = "VerificationFailed";
    constructor(verdict: Verdict);
}
/** Which server, and which of its worlds: by a token of the fixture, and a name behind it. */
export interface WorldOptions {
    /** The server's address; `MOCKSERVER_URL`, or that of a server on this machine. */
    url?: string;
    /** A token of the fixture; `provider` unless given. */
    token?: string;
    /** The world's name; one that nobody has used unless given. */
    name?: string;
    /** What a server that others can reach asks for; `MOCKSERVER_CONTROL_TOKEN` unless given. */
    controlToken?: string;
}
/** A world, by a token such as `provider@checkout-17`. What the server refuses is thrown as `ControlRefused`. */
export declare class World {
    private readonly wire;
    readonly clock: ClockControl;
    readonly webhooks: WebhooksControl;
    constructor(wire: Wire);
    /** The address of the API. */
    get url(): string;
    /** What a client of the API sends to be in this world. */
    get token(): string;
    /** The header that puts a request to the API into this world. */
    get headers(): Record<string, string>;
    /** The world's name. */
    get name(): string;
    /** Another world of the same server, under the same token; without a name, one that nobody has used. */
    world(name?: string): World;
    /** Another token of the fixture, such as `merchant1`, for this world. */
    tokenFor(token: string): string;
    /** That the server is ready, and with what. */
    health(): Promise<Health>;
    /** The API's OpenAPI document. */
    spec(): Promise<Record<string, unknown>>;
    /** The API's OpenAPI document, as it was written. */
    specYaml(): Promise<string>;
    /** The control interface's own OpenAPI document. */
    controlSpecYaml(): Promise<string>;
    /** The same, decoded. */
    controlSpec(): Promise<Record<string, unknown>>;
    /** The open choices, as the server makes them. */
    choices(): Promise<ChoiceInfo[]>;
    /** What this world is, and how much is in it. */
    summary(): Promise<WorldSummary>;
    /** The merchants, with their cards and how their next attempts to pay end. */
    merchants(): Promise<MerchantInfo[]>;
    /** A page of the invoices, with what the API does not show; `q` is a search as the API takes it. */
    invoices(chosen?: {
        q?: string;
        page?: number;
        per_page?: number;
    }): Promise<Rows<InvoiceRecord>>;
    /** One invoice, with its charges and what was tried. */
    invoice(id: number): Promise<InvoiceStory>;
    /** A page of the charges, with their invoices. */
    charges(chosen?: {
        page?: number;
        per_page?: number;
    }): Promise<Rows<ChargeRecord>>;
    /** The worlds of the server. */
    worlds(): Promise<WorldInfo[]>;
    /** Forget this world; its next use makes it anew. */
    delete(): Promise<void>;
    /** Start over from the fixture. */
    reset(): Promise<void>;
    /** The world as the text of a fixture file. */
    export(): Promise<string>;
    /** Every attempt to charge a card, or those for one invoice. */
    ledger(chosen?: {
        invoice?: number;
    }): Promise<Attempt[]>;
    /** The world's snapshots. */
    snapshots(): Promise<Snapshot[]>;
    /** Keep the world as it is, or what the text of a fixture file describes, under a name. */
    snapshot(name?: string, given?: {
        fixture?: string;
    }): Promise<KeptSnapshot>;
    /** Make the world what it was when the snapshot was taken. */
    restore(name: string): Promise<void>;
    /** Freeze the world's clock until that is taken back. */
    frozen(at?: Moment): Promise<FrozenClock>;
    /** Everything that can be asked for: outcomes, cards, faults, and what they take. */
    outcomes(): Promise<Vocabulary>;
    /** Give a merchant another card. */
    card(merchant: number, card: Card): Promise<GivenCard>;
    /** Say how the next attempts to charge end, after those that were said before; all that are ahead. */
    nextCollect(...outcomes: OutcomeOrCard[]): Promise<string[]>;
    /** Let the next attempts end as the cards say. */
    clearNextCollect(): Promise<void>;
    /** Let attempts to charge end so, whatever the cards say. */
    declines(outcome?: OutcomeOrCard, limits?: {
        invoice?: number;
        count?: number;
    }): Promise<PlannedFault>;
    /** Plan a fault. `outcomes` says what each kind takes. */
    fault(fault: GivenFault): Promise<PlannedFault>;
    /** The world's faults, with how often they struck. */
    faults(): Promise<Fault[]>;
    /** Take all faults away. */
    clearFaults(): Promise<void>;
    /** What was said in this world, the oldest first; its `cursor` is the `since` for those that follow. */
    journal(chosen?: Chosen): Promise<Page<Entry>>;
    /** What was said, as a HAR 1.2 file. */
    har(chosen?: Chosen): Promise<Har>;
    /** Commands that send the requests again. */
    curl(chosen?: Chosen): Promise<string[]>;
    /** One exchange of the journal, by its number. */
    exchange(number: number): Promise<Entry>;
    /** What is said, as it is said, until the server ends the stream; `since` the last number, to go on with it. */
    stream(chosen?: {
        since?: number;
    }): AsyncGenerator<Line>;
    /** Empty the journal. */
    clearJournal(): Promise<void>;
    /**
     * Assert what was said; throws `VerificationFailed` with the nearest misses.
     *
     * `at_most` can't be verified of exchanges that the journal has lost, which keeps the latest alone: then it fails, and
     * says so. A larger `--journal-size`, or `since` a number after them, helps.
     */
    verify(expect: Expectation | Expectation[], how?: {
        in_order?: boolean;
        since?: number;
    }): Promise<Verdict>;
}
/** A world; without a name, one that nobody else is in. It begins with the first request that names it. */
export declare function newWorld(options?: WorldOptions): World;
/** The wire to a world; `MOCKSERVER_URL` and `MOCKSERVER_CONTROL_TOKEN` stand for what is left out. */
export declare function wireTo({ url, token, name, controlToken }: WorldOptions): Wire;
