// What a request says: its body by Express' own parsers, who sends it, for which merchant, and its values.

import express from "express";

export class Refused extends Error {
  constructor(status, message, errors = undefined) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export function invalid(choices, field, message) {
  return new Refused(choices.invalid_request_status, message, { [field]: [message] });
}

const parsers = [express.json(), express.urlencoded({ extended: true })];

// Parses a body; what is wrong with it is kept, as who sends it is asked first.
export function readBody(request, response, next) {
  const [json, form] = parsers;
  json(request, response, (broken) => {
    form(request, response, (alsoBroken) => {
      request.fault = broken ?? alsoBroken;
      request.isForm = request.is("urlencoded") === "urlencoded";
      const body = request.fault ? {} : (request.body ?? {});
      request.notObject = Array.isArray(body);
      request.fields = request.notObject ? {} : body;
      next();
    });
  });
}

export function authenticate(parties) {
  const tokens = new Map(parties.tokens.map((token) => [token.value, token]));
  return (request, response, next) => {
    const [scheme, value] = (request.get("authorization") ?? "").split(/\s+/);
    const bearer = scheme.toLowerCase() === "bearer" ? value : undefined;
    request.token = tokens.get(bearer ?? request.query.api_token ?? request.fields.api_token);
    if (!request.token) throw new Refused(401, "A valid token is needed.");
    next();
  };
}

export function refuseUnreadable(choices) {
  return (request, response, next) => {
    if (choices.unreadable_body === "as_empty") return next();
    if (request.fault) return next(request.fault);
    if (request.notObject && choices.unreadable_body === "refuse")
      throw new Refused(400, "The body has to be an object.");
    next();
  };
}

export function selectMerchant(request, choices, parties) {
  const { provider, merchant: own } = request.token;
  const header = request.get("x-selected-client-id");
  if (header === undefined || header === "") {
    if (own === null && choices.merchant_header === "required")
      throw new Refused(choices.missing_merchant_status, "X-Selected-Client-Id is required.");
    return own;
  }
  const found = parties.merchants.find((one) => String(one.id) === header && one.provider === provider);
  if (!found || (own !== null && own !== found.id))
    throw new Refused(choices.unknown_merchant_status, "X-Selected-Client-Id names no client of yours.");
  return found.id;
}

export function knownOnly(request, choices, ...known) {
  const strange = Object.keys(request.fields).find((name) => name !== "api_token" && !known.includes(name));
  if (strange !== undefined && choices.extra_properties === "refuse")
    throw invalid(choices, strange, `${strange} is not allowed`);
}

// The ids of the charges to invoice, or null for all.
export function chargeIds(request, choices) {
  let given = request.fields.charge_ids;
  if (given === undefined) return null;
  if (given === null || given === "" || (request.isForm && Array.isArray(given) && given.join("") === "")) {
    if (choices.empty_charge_ids === "as_omitted") return null;
    throw invalid(choices, "charge_ids", "charge_ids must not be empty");
  }
  if (!Array.isArray(given) && typeof given === "object" && choices.loose_integers === "accept")
    given = Object.values(given);
  if (!Array.isArray(given)) throw invalid(choices, "charge_ids", "charge_ids must be an array");
  const ids = given.map((value, place) => {
    const id = chargeId(value, request.isForm, choices);
    if (!Number.isSafeInteger(id) || id < 1) throw invalid(choices, `charge_ids.${place}`, "must be an integer");
    return id;
  });
  const once = [...new Set(ids)];
  if (once.length < ids.length && choices.duplicate_charge_ids === "refuse")
    throw invalid(choices, "charge_ids", "charge_ids must not hold an id twice");
  return once.length ? once : null;
}

// JavaScript does not tell 1.0 from 1; texts of digits pass, and true and "+1" don't unless that was chosen.
function chargeId(value, isForm, choices) {
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^[0-9]+$/.test(value))
    return isForm || choices.numeric_strings !== "refuse" ? Number(value) : NaN;
  if (choices.loose_integers !== "accept") return NaN;
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" && /^[+]?[0-9]+([.]0+)?$/.test(value) ? Number(value) : NaN;
}

export function adjustment(request, choices, places) {
  const { description } = request.fields;
  const given = request.fields.amount;
  const amount = request.isForm && typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  if (typeof amount !== "number" || !Number.isFinite(amount))
    throw invalid(choices, "amount", "amount must be a number");
  const minor = Math.round(amount * 10 ** places);
  if (Math.abs(amount) > 1e9) throw invalid(choices, "amount", "amount is too large");
  if (minor / 10 ** places !== amount) throw invalid(choices, "amount", `amount must have at most ${places} decimals`);
  if (minor < 0 && choices.credits === "refuse") throw invalid(choices, "amount", "amount must not be negative");
  if (typeof description !== "string" || description === "" || description.length > 2000)
    throw invalid(choices, "description", "description must be a text of 1 to 2000 characters");
  if (description.includes("\0") || !description.isWellFormed())
    throw invalid(choices, "description", "description holds characters that can't be kept");
  return { amount: minor, description };
}

export function pageAndSize(request, choices) {
  const page = counted(request, choices, "page", 1);
  let size = counted(request, choices, "per_page", 15);
  if (choices.per_page_max !== null && size > choices.per_page_max) {
    if (choices.per_page_above_max === "refuse")
      throw invalid(choices, "per_page", `per_page must be at most ${choices.per_page_max}`);
    size = choices.per_page_max;
  }
  return [page, size];
}

function counted(request, choices, name, fallback) {
  const given = request.query[name];
  if (given === undefined) return fallback;
  const number = typeof given === "string" && given.trim() !== "" ? Number(given) : NaN;
  if (!Number.isInteger(number)) {
    const refused = name === "per_page" && choices.per_page_not_a_number === "refuse";
    if (choices.page_not_a_number === "default" && !refused) return fallback;
    throw invalid(choices, name, `${name} must be an integer`);
  }
  if (number >= 1) return number;
  if (choices.page_below_one === "first_page") return fallback;
  throw invalid(choices, name, `${name} must be at least 1`);
}
