/** A client of the mock server's control interface, without dependencies. */
export { ControlRefused, ROUTES } from "./connection.js";
export { ClockControl, FrozenClock, GivenCard, KeptSnapshot, PlannedFault, Undone, WebhooksControl, } from "./handles.js";
export { Server, startServer } from "./server.js";
export { COMMON, VerificationFailed, World, newWorld } from "./world.js";
