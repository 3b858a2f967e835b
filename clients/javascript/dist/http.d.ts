/**
 * HTTP for the control interface, by Node.js alone.
 *
 * Tests replace `fetch`, `http.request` and what sockets connect by, to intercept their program's requests. What they
 * steer the mock server with must go through all the same.
 */
import * as http from "node:http";
/** What is asked, besides the address. */
export interface Question {
    method: string;
    headers: Record<string, string>;
    body: string | undefined;
}
/** The head of an answer, and its body as texts to come. Rejects when nobody answers. */
export declare function answerOf(address: string, { method, headers, body }: Question): Promise<http.IncomingMessage>;
/** The whole of a body. Rejects when it breaks off. */
export declare function textOf(answer: http.IncomingMessage): Promise<string>;
