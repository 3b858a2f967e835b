/** A client of the mock server's control interface, without dependencies. */
export { ControlRefused, ROUTES } from "./connection.js";
export { ClockControl, FrozenClock, GivenCard, KeptSnapshot, type Page, PlannedFault, type Rows, Undone, WebhooksControl, } from "./handles.js";
export { Server, type ServerOptions, startServer } from "./server.js";
export type * from "./types.js";
export { COMMON, VerificationFailed, World, type WorldOptions, newWorld } from "./world.js";
