import type {
  Expect,
  PlaywrightTestArgs,
  PlaywrightTestOptions,
  PlaywrightWorkerArgs,
  PlaywrightWorkerOptions,
  TestType,
} from "@playwright/test";
import type { EventName, Geo, Item, Page } from "./neuralens.js";

/** An event as the API received it. */
export interface ReceivedEvent {
  event: EventName;
  items: Item[];
  timestamp: number;
  uid: string | null;
  query?: string;
  page?: Page;
  index?: number;
  geo?: Geo;
}

/** The expected fields of an event; `null` if the event must not have the field. */
export interface Wanted {
  id?: string | number;
  ids?: (string | number)[];
  /** The rank, counted from 0. */
  index?: number | null;
  /** The search text. */
  query?: string | null;
  page?: Page | null;
  uid?: string | null;
  geo?: Geo | null;
}

/** The events of a test, or only those of one shopper if `uid` is given. */
export class Events {
  constructor(url: string, uid?: string);
  /** Ignores all events so far. */
  forget(): Promise<void>;
  /** The events of one shopper, for tests that run in parallel. */
  of(uid: string): Events;
  /** The events so far, as the API received them, oldest first. */
  all(): Promise<ReceivedEvent[]>;
  /** Waits until no more events arrive, and returns those so far. */
  settle(): Promise<ReceivedEvent[]>;
  /** The reasons for which events were refused so far. */
  refusals(): Promise<string[]>;
  /** Where to look if there were no events at all; empty if there were. */
  explainAbsence(): Promise<string>;
}

/** A step of a tracking plan. */
export interface Step {
  /** The page to open; by default, the step continues on the page of the previous one. */
  page?: string;
  /** The name of the shopper's action; by default, none. */
  action?: string;
  /** The expected events, one per line: `CLICK_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "chair"`. */
  events?: string[];
}

/**
 * Runs all steps of a tracking plan, and throws an error with all differences.
 *
 * @param plan The parsed plan.toml, or an equal object.
 * @param open Opens a page of the plan.
 * @param actions Functions for the plan's actions, by name.
 */
export function follow(
  plan: { step: Step[] } | Record<string, unknown>,
  events: Events,
  open: (page: string) => unknown,
  actions?: Record<string, () => unknown>,
): Promise<void>;

export interface NeuralensFixtures {
  /** The address that `neuralens-tracker dev` prints. Default: http://127.0.0.1:8787. */
  neuralensUrl: string;
  /** The events received since the start of the test. */
  events: Events;
}

export const expect: Expect<{
  /** Waits for an event with at least these fields. */
  toHave(
    events: Events,
    event: EventName,
    fields?: Wanted,
    options?: { timeout?: number },
  ): Promise<{ pass: boolean; message: () => string }>;
  /** Waits until no more events arrive, and expects that the API has refused none. */
  toHaveNothingRefused(events: Events): Promise<{ pass: boolean; message: () => string }>;
}>;

export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & NeuralensFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions
>;
