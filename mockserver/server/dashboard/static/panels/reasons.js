// What decided an answer: each rule, open choice, outcome and fault as a button that says what it is and how it is known.

import { button, h, replace } from "../lib/dom.js";
import { look } from "../lib/session.js";
import { words } from "../lib/shown.js";
import { lasting, vocabulary } from "../lib/vocabulary.js";

const LEVELS = {
  documented: "the vendor's page on invoices says so",
  observed: "another public page of the vendor shows it",
  derived: "it follows for any billing system worth the name",
  open: "nothing says; servers may differ",
};

async function everything() {
  const [spec, choices, outcomes] = await Promise.all([lasting("/spec.json"), look("/choices"), vocabulary()]);
  return {
    rules: spec["x-rules"] ?? {},
    choices: Object.fromEntries(choices.data.map((one) => [one.key, one])),
    outcomes: Object.fromEntries(outcomes.outcomes.map((one) => [one.name, one])),
    faults: Object.fromEntries(outcomes.faults.map((one) => [one.kind, one])),
  };
}

function ofOutcome(one) {
  const told = [one.charged ? "money moves" : "no money moves", one.answered ? "Stripe answers" : "Stripe's answer never comes"];
  if (one.code) told.push(`Stripe's code is ${one.code}${one.decline_code ? `, ${one.decline_code}` : ""}`);
  return `The attempt to charge ended as ${words(one.name)}: ${told.join(", ")}.`;
}

async function explanation(reason) {
  const { rules, choices, outcomes, faults } = await everything();
  const [kind, ...rest] = reason.split(":");
  const name = rest.at(-1);
  if (rules[reason]) {
    const { level, statement, source } = rules[reason];
    return [`${reason} · ${level}: ${LEVELS[level] ?? ""}`, statement, `Source: ${source}`];
  }
  if (kind === "profile" && choices[name]) {
    const { key, value, values, description } = choices[name];
    return [`An open choice, ${key}: ${LEVELS.open}.`, description, `Here it is ${value}; it can be ${values.join(", ")}.`];
  }
  if (kind === "outcome" && outcomes[name]) return [ofOutcome(outcomes[name])];
  if (kind === "fault" && faults[name]) return [`A planned fault, ${name}.`, faults[name].description];
  if (kind === "prefer") return [`The request itself asked for it: ${rest.join(":")}.`];
  return [`${reason}: decided by the server itself.`];
}

export function explained(entry) {
  const text = h("div", { class: "explanation", role: "status" });
  const reasons = entry.because.split(/[\s,]+/).filter(Boolean);
  const chips = reasons.map((reason) =>
    button(reason, async () => {
      try {
        replace(text, (await explanation(reason)).map((one) => h("p", {}, one)));
      } catch (error) {
        replace(text, h("p", {}, error.message));
      }
    }, { class: "chip" }));
  const faults = entry.faults.map((one) => h("span", { class: "flag warn" }, `fault: ${one.kind}${one.when ? `, ${one.when}` : ""}`));
  return h("div", { class: "reasons" }, h("p", {}, h("span", { class: "soft" }, "Decided by "), chips, faults), text);
}
