/** Parts that stand for one thing of a world: its clock, its webhooks, a snapshot, a fault, a card. */
import { ControlRefused } from "./connection.js";
/** The moment as ISO 8601. */
export function momentText(moment) {
    return moment instanceof Date ? moment.toISOString() : moment;
}
/** The rows of an answer, with its cursor. */
export function pageOf(answer) {
    return Object.assign([...answer.data], { cursor: answer.cursor, lost: answer.lost });
}
/** The rows of an answer, with the figures of its page. */
export function rowsOf(answer) {
    const { data, ...figures } = answer;
    return Object.assign([...data], figures);
}
/** Something that can be taken back, and is at the end of the block that has it by `await using`. */
export class Undone {
    async [Symbol.asyncDispose]() {
        await this.undo();
    }
}
/** The world's clock. What sets it answers what it shows then. */
export class ClockControl {
    wire;
    constructor(wire) {
        this.wire = wire;
    }
    /** The world's time. */
    async now() {
        return shown(await this.get());
    }
    /** The world's time, and whether it stands still. */
    async get() {
        return this.wire.call("getClock");
    }
    /** Let it stand still, now or at that moment. */
    async freeze(at) {
        return shown(await this.wire.call("freezeClock", { body: at === undefined ? {} : { at: momentText(at) } }));
    }
    /** Let it go on from where it stands. */
    async run() {
        return shown(await this.wire.call("runClock"));
    }
    /** Put it to that moment, standing or running as it was. */
    async set(to) {
        return shown(await this.wire.call("setClock", { body: { to: momentText(to) } }));
    }
    /** Move it by so much; whatever is due by then is done at once. */
    async advance(by) {
        return shown(await this.wire.call("advanceClock", { body: { by } }));
    }
    /** Freeze it until that is taken back; then it shows what it would have shown, standing or running as before. */
    async frozen(at) {
        const before = await this.get();
        const since = performance.now();
        await this.freeze(at);
        return new FrozenClock(this, before, since);
    }
}
/** A clock that stands still for a while. */
export class FrozenClock extends Undone {
    clock;
    before;
    since;
    constructor(clock, before, since) {
        super();
        this.clock = clock;
        this.before = before;
        this.since = since;
    }
    async undo() {
        if (this.before.frozen) {
            await this.clock.freeze(this.before.now);
        }
        else {
            await this.clock.set(new Date(shown(this.before).getTime() + performance.now() - this.since));
            await this.clock.run();
        }
    }
}
function shown(clock) {
    return new Date(clock.now);
}
/** The world's events, and who is told of them. */
export class WebhooksControl {
    wire;
    constructor(wire) {
        this.wire = wire;
    }
    /** Who is told, and how. */
    async get() {
        return this.wire.call("getWebhooks");
    }
    /** Say who is told and how well that goes; what is left out is as usual, but for the secret, which stays. */
    async set(url, how = {}) {
        return this.wire.call("putWebhooks", { body: { url, ...how } });
    }
    /** Tell nobody any more; events are still recorded. */
    async stop() {
        await this.wire.call("deleteWebhooks");
    }
    /** The recorded events, the oldest first; its `cursor` is the `after` for those that follow. */
    async deliveries(chosen = {}) {
        return pageOf(await this.wire.call("listDeliveries", { query: { after: 0, ...chosen } }));
    }
    /** One delivery, with every attempt so far. */
    async delivery(id) {
        return this.wire.call("getDelivery", { path: { delivery: id } });
    }
    /** Deliver once more, at once. */
    async redeliver(id) {
        return this.wire.call("redeliver", { path: { delivery: id } });
    }
}
/** A snapshot of the world. What takes it back makes the world what it was. */
export class KeptSnapshot extends Undone {
    wire;
    info;
    passing;
    name;
    constructor(wire, info, passing) {
        super();
        this.wire = wire;
        this.info = info;
        this.passing = passing;
        this.name = info.name;
    }
    /** Make the world what it was. */
    async restore() {
        await this.wire.call("restoreSnapshot", { path: { snapshot: this.name } });
    }
    /** What happened from it to the present world, or to another snapshot. */
    async diff(to) {
        return this.wire.call("diffSnapshot", { path: { snapshot: this.name }, query: { to } });
    }
    /** It as the text of a fixture file. */
    async export() {
        return this.wire.call("exportSnapshot", { path: { snapshot: this.name } });
    }
    /** Forget it; the world stays as it is. */
    async delete() {
        await this.wire.call("deleteSnapshot", { path: { snapshot: this.name } });
    }
    /** Make the world what it was, and forget a snapshot that was given no name. */
    async undo() {
        await this.restore();
        if (this.passing)
            await this.delete();
    }
}
/** A fault of the world, until it is taken back. */
export class PlannedFault extends Undone {
    wire;
    info;
    id;
    constructor(wire, 
    /** The fault as it was when it was planned. */
    info) {
        super();
        this.wire = wire;
        this.info = info;
        this.id = info.id;
    }
    /** How many requests it has struck; 0 once it is gone. */
    async struck() {
        const { data } = await this.wire.call("listFaults");
        return data.find((fault) => fault.id === this.id)?.struck ?? 0;
    }
    /** Take it away, if a reset of the world has not done so. */
    async undo() {
        try {
            await this.wire.call("deleteFault", { path: { fault: this.id } });
        }
        catch (error) {
            if (!(error instanceof ControlRefused) || error.status !== 404)
                throw error;
        }
    }
}
/** A merchant's new card, until it is taken back. */
export class GivenCard extends Undone {
    wire;
    info;
    constructor(wire, info) {
        super();
        this.wire = wire;
        this.info = info;
    }
    /** Give the merchant the old card. */
    async undo() {
        await this.wire.call("putCard", { path: { merchant: this.info.merchant }, body: { card: this.info.was } });
    }
}
