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

/** What an event must have; `null` where it must have none. */
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

/** The events of one test; of one shopper alone where `uid` is given. */
export class Events {
  constructor(url: string, uid?: string);
  /** Begin: what has arrived so far does not count. */
  forget(): Promise<void>;
  /** The events of one shopper alone, for tests that run side by side. */
  of(uid: string): Events;
  /** The events so far, as the API received them, oldest first. */
  all(): Promise<ReceivedEvent[]>;
  /** The events so far, once nothing more arrives. */
  settle(): Promise<ReceivedEvent[]>;
  /** Why events were refused so far. */
  refusals(): Promise<string[]>;
}

/** A step of a tracking plan. */
export interface Step {
  /** Where the step begins; where the step before has ended if not given. */
  page?: string;
  /** What a shopper does there, in words; nothing but looking if not given. */
  action?: string;
  /** What it is to tell, an event a line: `CLICK_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "chair"`. */
  events?: string[];
}

/**
 * Carries out every step of a tracking plan, and throws with all that differs.
 *
 * @param plan What a parser of TOML makes of plan.toml, or the same in JavaScript.
 * @param open Opens a page of the plan.
 * @param actions Carry out the plan's actions, by their words.
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
  /** The events that arrive from the test's start on. */
  events: Events;
}

export const expect: Expect<{
  /** Waits until there is such an event, with at least these fields. */
  toHave(
    events: Events,
    event: EventName,
    fields?: Wanted,
    options?: { timeout?: number },
  ): Promise<{ pass: boolean; message: () => string }>;
  /** Waits until nothing more arrives; the API must have refused none. */
  toHaveNothingRefused(events: Events): Promise<{ pass: boolean; message: () => string }>;
}>;

export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & NeuralensFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions
>;
