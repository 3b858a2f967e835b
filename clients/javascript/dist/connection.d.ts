import type { Answer, ControlOperations } from "./types.js";
/** Method and path of every control operation, as `/_mock/openapi.yaml` has them. */
export declare const ROUTES: Record<keyof ControlOperations, readonly [string, string]>;
/** The server refused a control request; the message is the server's. */
export declare class ControlRefused extends Error {
    /** The operationId of the control operation. */
    readonly operation: string;
    readonly status: number;
    /** Messages by field, for what was invalid. */
    readonly errors: Record<string, string[]>;
    readonly name = "ControlRefused";
    constructor(message: string, 
    /** The operationId of the control operation. */
    operation: string, status: number, 
    /** Messages by field, for what was invalid. */
    errors: Record<string, string[]>);
}
/** What goes with a control request: values for its path and its query, and a JSON body. What is undefined is left out. */
export interface Given {
    path?: Record<string, string | number>;
    query?: Record<string, string | number | boolean | null | undefined>;
    body?: unknown;
}
/** One server as one token sees it. */
export declare class Wire {
    readonly token: string;
    private readonly controlToken;
    readonly base: string;
    /** `url` is the server's address, that of its API or that of its control interface. */
    constructor(url: string, token: string, controlToken: string | undefined);
    /** The same server for another token. */
    asToken(token: string): Wire;
    /** What the server answers: a JSON value, or a text. Throws `ControlRefused`, and `Error` when nobody answers. */
    call<Id extends keyof ControlOperations>(operation: Id, given?: Given): Promise<Answer<Id>>;
    /** The server-sent events of an operation, each by its name and its data, until the server ends them. */
    events(operation: keyof ControlOperations, given?: Given): AsyncGenerator<[string, unknown]>;
    private send;
    private readonly gone;
}
