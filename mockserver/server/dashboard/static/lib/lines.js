// Writes a request as a line for a POSIX shell, and as a line of JavaScript.

export function quoted(text) {
  return /^[A-Za-z0-9_\-.,/:@%+=]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function asCurl(url, { method, headers, body }) {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (body !== undefined) parts.push("--data-raw", quoted(body));
  parts.push(quoted(url));
  return parts.join(" ");
}

export function asFetch(url, { method, headers, body }) {
  const options = [`headers: ${JSON.stringify(headers)}`];
  if (method !== "GET") options.unshift(`method: ${JSON.stringify(method)}`);
  if (body !== undefined) options.push(`body: JSON.stringify(${body})`);
  return `await fetch(${JSON.stringify(url)}, { ${options.join(", ")} })`;
}
