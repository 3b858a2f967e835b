/** Parts that stand for one thing of a world: its clock, its webhooks, a snapshot, a fault, a card. */
import { ControlRefused, type Wire } from "./connection.js";
import type {
  Answer,
  Clock,
  Delivery,
  DeliveryState,
  Difference,
  Duration,
  Fault,
  Moment,
  Snapshot,
  Subscription,
} from "./types.js";

/** The moment as ISO 8601. */
export function momentText(moment: Moment): string {
  return moment instanceof Date ? moment.toISOString() : moment;
}

/** Rows of a list that grows. */
export interface Page<Row> extends Array<Row> {
  /** Where the rows begin that follow. */
  cursor: number;
  /** How many rows the server dropped to make room. */
  lost: number;
}

/** The rows of an answer, with its cursor. */
export function pageOf<Row>(answer: { data: Row[]; cursor: number; lost: number }): Page<Row> {
  return Object.assign([...answer.data], { cursor: answer.cursor, lost: answer.lost });
}

/** One page of a list. */
export interface Rows<Row> extends Array<Row> {
  page: number;
  last_page: number;
  /** How many there are on all pages. */
  total: number;
}

/** The rows of an answer, with the figures of its page. */
export function rowsOf<Row>(answer: { data: Row[]; page: number; last_page: number; total: number }): Rows<Row> {
  const { data, ...figures } = answer;
  return Object.assign([...data], figures);
}

/** Something that can be taken back, and is at the end of the block that has it by `await using`. */
export abstract class Undone {
  abstract undo(): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undo();
  }
}

/** The world's clock. What sets it answers what it shows then. */
export class ClockControl {
  constructor(private readonly wire: Wire) {}

  /** The world's time. */
  async now(): Promise<Date> {
    return shown(await this.get());
  }

  /** The world's time, and whether it stands still. */
  async get(): Promise<Clock> {
    return this.wire.call("getClock");
  }

  /** Let it stand still, now or at that moment. */
  async freeze(at?: Moment): Promise<Date> {
    return shown(await this.wire.call("freezeClock", { body: at === undefined ? {} : { at: momentText(at) } }));
  }

  /** Let it go on from where it stands. */
  async run(): Promise<Date> {
    return shown(await this.wire.call("runClock"));
  }

  /** Put it to that moment, standing or running as it was. */
  async set(to: Moment): Promise<Date> {
    return shown(await this.wire.call("setClock", { body: { to: momentText(to) } }));
  }

  /** Move it by so much; whatever is due by then is done at once. */
  async advance(by: Duration): Promise<Date> {
    return shown(await this.wire.call("advanceClock", { body: { by } }));
  }

  /** Freeze it until that is taken back; then it shows what it would have shown, standing or running as before. */
  async frozen(at?: Moment): Promise<FrozenClock> {
    const before = await this.get();
    const since = performance.now();
    await this.freeze(at);
    return new FrozenClock(this, before, since);
  }
}

/** A clock that stands still for a while. */
export class FrozenClock extends Undone {
  constructor(
    private readonly clock: ClockControl,
    private readonly before: Clock,
    private readonly since: number,
  ) {
    super();
  }

  override async undo(): Promise<void> {
    if (this.before.frozen) {
      await this.clock.freeze(this.before.now);
    } else {
      await this.clock.set(new Date(shown(this.before).getTime() + performance.now() - this.since));
      await this.clock.run();
    }
  }
}

function shown(clock: Clock): Date {
  return new Date(clock.now);
}

/** The world's events, and who is told of them. */
export class WebhooksControl {
  constructor(private readonly wire: Wire) {}

  /** Who is told, and how. */
  async get(): Promise<Subscription> {
    return this.wire.call("getWebhooks");
  }

  /** Say who is told and how well that goes; what is left out is as usual, but for the secret, which stays. */
  async set(url?: string, how: Partial<Omit<Subscription, "url">> = {}): Promise<Subscription> {
    return this.wire.call("putWebhooks", { body: { url, ...how } });
  }

  /** Tell nobody any more; events are still recorded. */
  async stop(): Promise<void> {
    await this.wire.call("deleteWebhooks");
  }

  /** The recorded events, the oldest first; its `cursor` is the `after` for those that follow. */
  async deliveries(
    chosen: { after?: number; state?: DeliveryState; limit?: number } = {},
  ): Promise<Page<Delivery>> {
    return pageOf(await this.wire.call("listDeliveries", { query: { after: 0, ...chosen } }));
  }

  /** One delivery, with every attempt so far. */
  async delivery(id: number): Promise<Delivery> {
    return this.wire.call("getDelivery", { path: { delivery: id } });
  }

  /** Deliver once more, at once. */
  async redeliver(id: number): Promise<Delivery> {
    return this.wire.call("redeliver", { path: { delivery: id } });
  }
}

/** A snapshot of the world. What takes it back makes the world what it was. */
export class KeptSnapshot extends Undone {
  readonly name: string;

  constructor(
    private readonly wire: Wire,
    readonly info: Snapshot,
    private readonly passing: boolean,
  ) {
    super();
    this.name = info.name;
  }

  /** Make the world what it was. */
  async restore(): Promise<void> {
    await this.wire.call("restoreSnapshot", { path: { snapshot: this.name } });
  }

  /** What happened from it to the present world, or to another snapshot. */
  async diff(to?: string): Promise<Difference> {
    return this.wire.call("diffSnapshot", { path: { snapshot: this.name }, query: { to } });
  }

  /** It as the text of a fixture file. */
  async export(): Promise<string> {
    return this.wire.call("exportSnapshot", { path: { snapshot: this.name } });
  }

  /** Forget it; the world stays as it is. */
  async delete(): Promise<void> {
    await this.wire.call("deleteSnapshot", { path: { snapshot: this.name } });
  }

  /** Make the world what it was, and forget a snapshot that was given no name. */
  override async undo(): Promise<void> {
    await this.restore();
    if (this.passing) await this.delete();
  }
}

/** A fault of the world, until it is taken back. */
export class PlannedFault extends Undone {
  readonly id: number;

  constructor(
    private readonly wire: Wire,
    /** The fault as it was when it was planned. */
    readonly info: Fault,
  ) {
    super();
    this.id = info.id;
  }

  /** How many requests it has struck; 0 once it is gone. */
  async struck(): Promise<number> {
    const { data } = await this.wire.call("listFaults");
    return data.find((fault) => fault.id === this.id)?.struck ?? 0;
  }

  /** Take it away, if a reset of the world has not done so. */
  override async undo(): Promise<void> {
    try {
      await this.wire.call("deleteFault", { path: { fault: this.id } });
    } catch (error) {
      if (!(error instanceof ControlRefused) || error.status !== 404) throw error;
    }
  }
}

/** A merchant's new card, until it is taken back. */
export class GivenCard extends Undone {
  constructor(
    private readonly wire: Wire,
    readonly info: Answer<"putCard">,
  ) {
    super();
  }

  /** Give the merchant the old card. */
  override async undo(): Promise<void> {
    await this.wire.call("putCard", { path: { merchant: this.info.merchant }, body: { card: this.info.was } });
  }
}
