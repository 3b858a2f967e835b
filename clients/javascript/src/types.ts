/** Names for what both OpenAPI documents describe; the types themselves are generated from them. */
import type { components as Api } from "./generated/api.js";
import type { components as Control, operations } from "./generated/control.js";

export type { operations as ApiOperations } from "./generated/api.js";
export type { operations as ControlOperations } from "./generated/control.js";

type Schemas = Control["schemas"];
type Success<Operation> = Operation extends { responses: { 200: { content: infer Content } } }
  ? Content[keyof Content]
  : never;
/** What a control operation answers, by its operationId. */
export type Answer<Id extends keyof operations> = Success<operations[Id]>;
type Data<Id extends keyof operations> = Answer<Id> extends { data: (infer Row)[] } ? Row : never;

export type Invoice = Api["schemas"]["Invoice"];
export type Charge = Api["schemas"]["Charge"];

/** How an attempt to charge can end. */
export type OutcomeName = Schemas["OutcomeName"];
/** A card, or how an attempt can end. */
export type OutcomeOrCard = Schemas["OutcomeOrCard"];
/** Stripe's own names of cards that behave in one way each. */
export type Card = Schemas["Card"];

export type Attempt = Schemas["Attempt"];
export type ChoiceInfo = Data<"listChoices">;
export type Clock = Answer<"getClock">;
export type Delivery = Schemas["Delivery"];
export type DeliveryState = Schemas["DeliveryState"];
export type Difference = Answer<"diffSnapshot">;
export type Entry = Schemas["Entry"];
export type Expectation = Schemas["Expectation"];
export type Fault = Schemas["Fault"];
export type GivenFault = Schemas["GivenFault"];
export type Har = Schemas["Har"];
export type Health = Answer<"getHealth">;
export type InvoiceRecord = Schemas["InvoiceRecord"];
export type ChargeRecord = Schemas["ChargeRecord"];
export type InvoiceStory = Answer<"getInvoice">;
export type Line = Schemas["Line"];
export type MerchantInfo = Data<"listMerchants">;
export type Snapshot = Schemas["Snapshot"];
export type Subscription = Schemas["Subscription"];
export type Verdict = Schemas["Verdict"];
export type Vocabulary = Schemas["Vocabulary"];
export type WorldSummary = Answer<"getWorld">;
export type WorldInfo = Data<"listWorlds">;

/** ISO 8601, or a Date. */
export type Moment = string | Date;
/** ISO 8601 such as `P3D` or `PT90M`, or seconds. */
export type Duration = string | number;

/** Which exchanges of the journal are wanted; what is left out limits nothing. */
export type Chosen = NonNullable<operations["getJournal"]["parameters"]["query"]> extends infer Query
  ? Omit<Query, "format">
  : never;
