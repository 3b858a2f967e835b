// The search language, as a condition in SQL.

import { invalid } from "./reading.js";

const CLAUSE = /^([a-z_]+)(\$DATE)?\s*(!:|!~|>=|<=|:|~|>|<)\s*"([^"]*)"/;
const JOINT = /^\s+(AND|OR)\s+/i;
const SIGNS = { ":": "=", "!:": "<>", ">": ">", "<": "<", ">=": ">=", "<=": "<=" };

class BadSyntax extends Error {}

// The condition and its values; a wrong search is refused, or ignored where that was chosen.
export function condition(text, choices) {
  if (text === undefined) return ["true", []];
  if (typeof text !== "string") throw invalid(choices, "q", "q must be a text");
  try {
    return read(text.trim(), choices);
  } catch (error) {
    if (!(error instanceof BadSyntax)) throw error;
    if (choices.bad_search_syntax === "ignore") return ["true", []];
    throw invalid(choices, "q", `q can't be read: ${error.message}`);
  }
}

function read(text, choices) {
  let [sql, values, joint, rest] = ["", [], "", text];
  while (rest !== "") {
    const found = CLAUSE.exec(rest);
    if (!found) throw new BadSyntax(`a clause is expected at ${JSON.stringify(rest.slice(0, 20))}`);
    const clause = meaning(found, choices);
    if (clause) {
      sql = sql ? `(${sql} ${joint} ${clause[0]})` : clause[0];
      values = [...values, ...clause[1]];
    }
    rest = rest.slice(found[0].length);
    if (rest === "") break;
    const between = JOINT.exec(rest);
    if (!between) throw new BadSyntax(`AND or OR is expected at ${JSON.stringify(rest.slice(0, 20))}`);
    joint = between[1];
    rest = rest.slice(between[0].length);
    if (rest === "") throw new BadSyntax("a clause is expected at the end");
  }
  return [sql || "true", values];
}

function meaning([, field, modifier, sign, value], choices) {
  if (!["id", "stripe_invoice_id", "created_at"].includes(field))
    return wrong(choices, "unknown_search_field", `there is no field ${field}`);
  if (modifier && field !== "created_at") throw new BadSyntax(`${field} takes no modifier`);
  if (field === "created_at") {
    if (!modifier && choices.date_without_modifier !== "accept") throw new BadSyntax("created_at needs $DATE");
    if (!(sign in SIGNS) || sign === "!:") throw new BadSyntax(`created_at has no operator ${sign}`);
    if (!isDate(value)) return wrong(choices, "bad_search_value", `${value} is no date`);
    return [`date(created_at) ${SIGNS[sign]} ?`, [value]];
  }
  if (field === "id") {
    if (!(sign in SIGNS)) throw new BadSyntax(`id has no operator ${sign}`);
    if (!/^-?[0-9]+$/.test(value)) return wrong(choices, "bad_search_value", `${value} is no integer`);
    const capped = Math.max(-(2 ** 53), Math.min(2 ** 53, Number(value)));
    return [`id ${SIGNS[sign]} ?`, [capped]];
  }
  const met = { ":": "stripe_id is ?", "!:": "stripe_id is not ?" }[sign];
  if (met) return [met, [value]];
  const holds = "coalesce(instr(stripe_id, ?) > 0, false)";
  if (sign === "~") return [holds, [value]];
  if (sign === "!~") return [`not ${holds}`, [value]];
  throw new BadSyntax(`stripe_invoice_id has no operator ${sign}`);
}

function wrong(choices, kind, message) {
  if (choices[kind] === "refuse") throw invalid(choices, "q", message);
  return null;
}

function isDate(value) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return false;
  const moment = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(value);
}
