const SERVER = process.env.MOCKSERVER_URL ?? "http://127.0.0.1:4010";

/** A world of the fake that nobody else is in: it begins with the first request that names it. */
export function newWorld() {
  const token = `provider@${crypto.randomUUID()}`;

  /** Asks the control interface of this world, and answers what it says. */
  async function control(method, path, body) {
    const headers = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(`${SERVER}/_mock${path}`, { method, headers, body: body && JSON.stringify(body) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${told.message}`);
    return told;
  }

  return { api: `${SERVER}/api`, token, control };
}
