"""The types file, neuralens.d.ts, from the tracker's one vocabulary."""

from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.hooks import LISTENED
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.value_types import COUNT, FLAG, TEXT
from neuralens_tracker.vocabulary import CONSENTS, EVENTS, PAGES

TYPES = {TEXT: "string", FLAG: "boolean", COUNT: "number", PAGES: "Page", CONSENTS: "Consent"}


def union(words: tuple[str, ...]) -> str:
    """Return a TypeScript union of words."""
    return " | ".join(f'"{word}"' for word in words)


def render() -> str:
    """Return the declarations of neuralens.mjs and of what stands on ``window``."""
    own = [SETTINGS, *ADDONS.values()]
    settings = "\n".join(
        f"  {name}?: {TYPES[each.value_type]};" for part in own for name, each in part.items()
    )
    return f"""\
export type EventName = {union(EVENTS)};
export type Page = {union(PAGES)};
export type Consent = {union(CONSENTS)};
export type Listened = {union(LISTENED)};

export interface Settings {{
{settings}
}}

export interface Item {{
  id: string;
}}

export interface Geo {{
  lat?: number;
  long?: number;
  region?: string;
}}

/** An event as it goes to the relay. */
export interface TrackedEvent {{
  eid: string;
  event: EventName;
  items: Item[];
  timestamp: number;
  uid?: string | null;
  query?: string | null;
  page?: Page | null;
  index?: number | null;
  geo?: Geo | null;
}}

export interface Fields {{
  id?: string | number;
  ids?: (string | number)[];
  index?: number;
  query?: string;
  page?: Page;
  /** Of a PURCHASE: one order is one, for good. */
  order?: string | number;
}}

export interface Neuralens {{
  (command: "track", event: EventName, fields: Fields): void;
  (command: "identify", uid: string | null): void;
  (command: "consent", state: Consent): void;
  (command: "geo", geo: Geo | null): void;
  (command: "page", view: {{ page?: Page; query?: string }}): void;
  /** The shop's word for an action that waits in data-nl-confirm: it has happened. */
  (command: "confirm", event: EventName, id: string | number): void;
  /** Return the event to send, changed or not; null drops it. */
  (command: "before", change: (event: TrackedEvent) => TrackedEvent | null): void;
  (command: "on", name: Listened, listener: (detail: any) => void): void;
  (command: "flush"): void;
  readonly version: string;
}}

/** Start the tracker on this page, if it is not there yet, and return its calls. */
export function start(settings?: Settings): Neuralens;

declare global {{
  interface Window {{
    neuralens: Neuralens;
    neuralensConfig?: Settings;
  }}
}}
"""
