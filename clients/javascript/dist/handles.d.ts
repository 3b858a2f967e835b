/** Parts that stand for one thing of a world: its clock, its webhooks, a snapshot, a fault, a card. */
import { type Wire } from "./connection.js";
import type { Answer, Clock, Delivery, DeliveryState, Difference, Duration, Fault, Moment, Snapshot, Subscription } from "./types.js";
/** The moment as ISO 8601. */
export declare function momentText(moment: Moment): string;
/** Rows of a list that grows. */
export interface Page<Row> extends Array<Row> {
    /** Where the rows begin that follow. */
    cursor: number;
    /** How many rows the server dropped to make room. */
    lost: number;
}
/** The rows of an answer, with its cursor. */
export declare function pageOf<Row>(answer: {
    data: Row[];
    cursor: number;
    lost: number;
}): Page<Row>;
/** One page of a list. */
export interface Rows<Row> extends Array<Row> {
    page: number;
    last_page: number;
    /** How many there are on all pages. */
    total: number;
}
/** The rows of an answer, with the figures of its page. */
export declare function rowsOf<Row>(answer: {
    data: Row[];
    page: number;
    last_page: number;
    total: number;
}): Rows<Row>;
/** Something that can be taken back, and is at the end of the block that has it by `await using`. */
export declare abstract class Undone {
    abstract undo(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
/** The world's clock. What sets it answers what it shows then. */
export declare class ClockControl {
    private readonly wire;
    constructor(wire: Wire);
    /** The world's time. */
    now(): Promise<Date>;
    /** The world's time, and whether it stands still. */
    get(): Promise<Clock>;
    /** Let it stand still, now or at that moment. */
    freeze(at?: Moment): Promise<Date>;
    /** Let it go on from where it stands. */
    run(): Promise<Date>;
    /** Put it to that moment, standing or running as it was. */
    set(to: Moment): Promise<Date>;
    /** Move it by so much; whatever is due by then is done at once. */
    advance(by: Duration): Promise<Date>;
    /** Freeze it until that is taken back; then it shows what it would have shown, standing or running as before. */
    frozen(at?: Moment): Promise<FrozenClock>;
}
/** A clock that stands still for a while. */
export declare class FrozenClock extends Undone {
    private readonly clock;
    private readonly before;
    private readonly since;
    constructor(clock: ClockControl, before: Clock, since: number);
    undo(): Promise<void>;
}
/** The world's events, and who is told of them. */
export declare class WebhooksControl {
    private readonly wire;
    constructor(wire: Wire);
    /** Who is told, and how. */
    get(): Promise<Subscription>;
    /** Say who is told and how well that goes; what is left out is as usual, but for the secret, which stays. */
    set(url?: string, how?: Partial<Omit<Subscription, "url">>): Promise<Subscription>;
    /** Tell nobody any more; events are still recorded. */
    stop(): Promise<void>;
    /** The recorded events, the oldest first; its `cursor` is the `after` for those that follow. */
    deliveries(chosen?: {
        after?: number;
        state?: DeliveryState;
        limit?: number;
    }): Promise<Page<Delivery>>;
    /** One delivery, with every attempt so far. */
    delivery(id: number): Promise<Delivery>;
    /** Deliver once more, at once. */
    redeliver(id: number): Promise<Delivery>;
}
/** A snapshot of the world. What takes it back makes the world what it was. */
export declare class KeptSnapshot extends Undone {
    private readonly wire;
    readonly info: Snapshot;
    private readonly passing;
    readonly name: string;
    constructor(wire: Wire, info: Snapshot, passing: boolean);
    /** Make the world what it was. */
    restore(): Promise<void>;
    /** What happened from it to the present world, or to another snapshot. */
    diff(to?: string): Promise<Difference>;
    /** It as the text of a fixture file. */
    export(): Promise<string>;
    /** Forget it; the world stays as it is. */
    delete(): Promise<void>;
    /** Make the world what it was, and forget a snapshot that was given no name. */
    undo(): Promise<void>;
}
/** A fault of the world, until it is taken back. */
export declare class PlannedFault extends Undone {
    private readonly wire;
    /** The fault as it was when it was planned. */
    readonly info: Fault;
    readonly id: number;
    constructor(wire: Wire, 
    /** The fault as it was when it was planned. */
    info: Fault);
    /** How many requests it has struck; 0 once it is gone. */
    struck(): Promise<number>;
    /** Take it away, if a reset of the world has not done so. */
    undo(): Promise<void>;
}
/** A merchant's new card, until it is taken back. */
export declare class GivenCard extends Undone {
    private readonly wire;
    readonly info: Answer<"putCard">;
    constructor(wire: Wire, info: Answer<"putCard">);
    /** Give the merchant the old card. */
    undo(): Promise<void>;
}
