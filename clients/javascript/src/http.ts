/**
 * HTTP for the control interface, by Node.js alone.
 *
 * Tests replace `fetch`, `http.request` and what sockets connect by, to intercept their program's requests. What they
 * steer the mock server with must go through all the same.
 */
import * as http from "node:http";
import { Socket, isIP } from "node:net";
import { connect as secured } from "node:tls";
import { URL } from "node:url";

/** As they were when this was imported. */
const [ask, connect] = [http.request, Socket.prototype.connect];

/** Milliseconds of silence after which nobody is taken to answer. */
const PATIENCE = 30_000;

/** What is asked, besides the address. */
export interface Question {
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** The head of an answer, and its body as texts to come. Rejects when nobody answers. */
export function answerOf(address: string, { method, headers, body }: Question): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = addressOf(address);
    const path = url.pathname + url.search;
    const asked = ask({ method, path, headers: { ...headers, Host: url.host }, createConnection: () => opened(url) });
    asked.once("response", (answer) => resolve(answer.setEncoding("utf8")));
    // Also what breaks off later ends in an error of the request.
    asked.on("error", reject);
    asked.end(body);
  });
}

/** The whole of a body. Rejects when it breaks off. */
export async function textOf(answer: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of answer) text += piece;
  return text;
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new Error("that is no address; expected one such as http://127.0.0.1:4010");
}

function opened(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const secure = url.protocol === "https:";
  const plain: Socket = Reflect.apply(connect, new Socket(), [{ host, port: url.port || (secure ? 443 : 80) }]);
  const socket = secure ? secured({ socket: plain, host, ...named(host), ...trust(host) }) : plain;
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`no answer within ${PATIENCE / 1000} s`)));
  return socket;
}

/** What the server is told to show a certificate for: RFC 6066 has names there, and no addresses. */
function named(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** What certificates are held to: of a server on this machine to nothing, since it signs its own mostly. */
function trust(host: string): { rejectUnauthorized?: false } {
  return ["localhost", "127.0.0.1", "::1"].includes(host) ? { rejectUnauthorized: false } : {};
}
