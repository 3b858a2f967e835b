// Who asks, and of which world; every request of the pages goes through here. Tokens are kept in memory only.

import { asCurl, asFetch } from "./lines.js";

const listeners = { change: [], done: [], guarded: [] };

export const session = {
  token: "provider",
  world: new URLSearchParams(location.search).get("world") ?? "",
  control: "",
};

export function on(event, listener) {
  listeners[event].push(listener);
}

function tell(event, ...details) {
  for (const listener of listeners[event]) listener(...details);
}

export function change(values) {
  Object.assign(session, values);
  const address = new URL(location.href);
  if (session.world) address.searchParams.set("world", session.world);
  else address.searchParams.delete("world");
  history.replaceState(null, "", address);
  tell("change");
}

export function bearer() {
  return session.world ? `${session.token}@${session.world}` : session.token;
}

export function headers(control) {
  const found = { Authorization: `Bearer ${bearer()}` };
  if (control && session.control) found["X-Mock-Control-Token"] = session.control;
  return found;
}

export class Refused extends Error {
  constructor(status, body) {
    super(body?.message ?? `It was answered ${status}.`);
    this.status = status;
    this.errors = body?.errors ?? {};
  }
}

async function send(prefix, method, path, { body, extra = {}, signal, shown }) {
  const control = prefix === "/_mock";
  const request = { method, headers: { ...headers(control), ...extra }, signal };
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  if (!control) request.headers.Accept = "application/json";
  const url = location.origin + prefix + path;
  if (shown) tell("done", { curl: asCurl(url, request), fetch: asFetch(url, request) });
  const answer = await fetch(url, request);
  if (control && answer.status === 401 && answer.headers.get("Content-Type")?.includes("json")) {
    const told = await answer.json();
    if (/control token/i.test(told.message)) tell("guarded");
    throw new Refused(401, told);
  }
  return answer;
}

async function decoded(answer) {
  const json = answer.headers.get("Content-Type")?.includes("json");
  const body = json ? await answer.json() : await answer.text();
  if (!answer.ok) throw new Refused(answer.status, json ? body : null);
  return body;
}

// Looks, and shows nothing of it.
export async function look(path, signal) {
  return decoded(await send("/_mock", "GET", path, { signal }));
}

// Does something to the world, and shows how a script does the same.
export async function act(method, path, body) {
  return decoded(await send("/_mock", method, path, { body, shown: true }));
}

// Calls the API as any client would; any answer is an answer.
export async function call(method, path, { body, merchant } = {}) {
  const extra = merchant === undefined ? {} : { "X-Selected-Client-Id": String(merchant) };
  const answer = await send("/api", method, path, { body, extra, shown: true });
  const text = await answer.text();
  let value = text;
  try {
    value = JSON.parse(text);
  } catch {
    // A fault may have spoilt the body: it is shown as it came.
  }
  return { status: answer.status, ok: answer.ok, body: value };
}

export function follow(path, headersToo, signal) {
  return fetch(`${location.origin}/_mock${path}`, { headers: { ...headers(true), ...headersToo }, signal });
}
