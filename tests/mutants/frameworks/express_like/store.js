// The database: its tables, and what they hold to begin with. Money is kept in minor units, moments as ISO texts.

import sqlite from "node-sqlite3-wasm";
import { randomInt } from "node:crypto";

const TABLES = `
create table invoices (number integer primary key autoincrement, id integer unique, merchant integer, created_at text,
  state text default 'draft', busy integer default 0, total integer, stripe_id text, stripe_status text);
create table charges (number integer primary key autoincrement, id integer unique, merchant integer, created_at text,
  amount integer, description text, invoice integer references invoices (number));
`;

export class Store {
  #database;
  #choices;

  constructor(file, choices, parties) {
    this.#database = new sqlite.Database(file);
    this.#choices = choices;
    this.#database.exec("pragma journal_mode = memory; pragma synchronous = off;" + TABLES);
    for (const merchant of parties.merchants)
      this.atomic(() => this.#fill(merchant, parties.places[merchant.currency]));
  }

  // One statement after another: nothing else runs meanwhile, as nothing in between waits.
  atomic(work) {
    this.#database.exec("begin immediate");
    try {
      const result = work();
      this.#database.exec("commit");
      return result;
    } catch (error) {
      this.#database.exec("rollback");
      throw error;
    }
  }

  all(sql, values = []) {
    return this.#database.all(sql, values);
  }

  one(sql, values = []) {
    return this.#database.get(sql, values) ?? null;
  }

  // How many records a statement changed.
  change(sql, values = []) {
    return this.#database.run(sql, values).changes;
  }

  insert(table, record) {
    const names = Object.keys(record);
    const marks = names.map(() => "?").join(", ");
    const sql = `insert into ${table} (${names.join(", ")}) values (${marks})`;
    const { lastInsertRowid: number } = this.#database.run(sql, Object.values(record));
    const id = this.#choices.ids === "random" ? randomInt(2 ** 24) * 2 ** 24 + randomInt(2 ** 24) + 1 : Number(number);
    this.change(`update ${table} set id = ? where number = ?`, [id, number]);
    return this.one(`select * from ${table} where number = ?`, [number]);
  }

  #fill(merchant, places) {
    const unit = 10 ** places;
    for (let day = this.#choices.invoices; day > 0; day--) {
      const created_at = now(day);
      const kinds = [
        { state: "draft" },
        { state: "finalized", stripe_id: `in_first${merchant.id}k${day}`, stripe_status: "open" },
        { state: "paid", stripe_id: `in_first${merchant.id}k${day}`, stripe_status: "paid" },
      ];
      const total = day * unit;
      const invoice = this.insert("invoices", { merchant: merchant.id, created_at, total, ...kinds[day % 3] });
      const charge = { merchant: merchant.id, created_at, amount: total, description: "Kept" };
      this.insert("charges", { ...charge, invoice: invoice.number });
    }
    for (let place = 0; place < this.#choices.charges; place++) {
      const charge = { merchant: merchant.id, created_at: now(), amount: ((place % 6) + 1) * unit };
      this.insert("charges", { ...charge, description: `Pallet ${place}` });
    }
  }
}

export function now(daysAgo = 0) {
  return new Date(Date.now() - daysAgo * 86_400_000).toISOString();
}
