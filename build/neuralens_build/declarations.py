"""Generates the type declarations, neuralens.d.ts, from the tracker's constants."""

import json
from string import Template

from neuralens_tracker.addon_settings import ADDONS
from neuralens_tracker.hooks import LISTENED
from neuralens_tracker.reference import CALLS
from neuralens_tracker.reference import EVENTS as EVENT_MEANINGS
from neuralens_tracker.reference import SETTINGS as SETTING_MEANINGS
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.value_types import COUNT, FLAG, TEXT
from neuralens_tracker.vocabulary import CONSENTS, EVENTS, PAGES

TYPES = {TEXT: "string", FLAG: "boolean", COUNT: "number", PAGES: "Page", CONSENTS: "Consent"}


# The parameters of each call, after its name.
ARGUMENTS = {
    "track": ", event: EventName, fields: Fields",
    "identify": ", uid: string | null",
    "consent": ", state: Consent",
    "geo": ", geo: Geo | null",
    "page": ", view: { page?: Page; query?: string }",
    "confirm": ", event: EventName, id: string | number",
    "before": ", change: (event: TrackedEvent) => TrackedEvent | null | void",
    "on": ", name: Listened, listener: (detail: any) => void",
    "flush": "",
}


DECLARATIONS = Template("""\
${events}export type EventName = $event_names;
export type Page = $pages;
export type Consent = $consents;
export type Listened = $listened;

/** Attributes of the script tag (`data-app-id`) and keys of `window.neuralensConfig`. */
export interface Settings {
$settings
}

/** A product, or the text of a suggestion. */
export interface Item {
  id: string;
}

/** Where the shopper is. */
export interface Geo {
  lat?: number;
  long?: number;
  region?: string;
}

/** An event as it goes to the relay. */
export interface TrackedEvent {
  eid: string;
  event: EventName;
  items: Item[];
  timestamp: number;
  uid?: string | null;
  query?: string | null;
  page?: Page | null;
  index?: number | null;
  geo?: Geo | null;
}

/** What a tracked event is about: one of `id` and `ids` is needed. */
export interface Fields {
  id?: string | number;
  ids?: (string | number)[];
  /** The rank, counted from 0. */
  index?: number;
  /** The search text. */
  query?: string;
  page?: Page;
  /** The order number of a PURCHASE, which is tracked once per order, ever. */
  order?: string | number;
}

export interface Neuralens {
$calls
  /** The version of the tracker. */
  readonly version: string;
}

/** Start the tracker on this page, unless it is running, and return its calls. */
export function start(settings?: Settings): Neuralens;

declare global {
  interface Window {
    neuralens: Neuralens;
    neuralensConfig?: Settings;
  }
}
""")


def comment(text: str, indent: str = "", default: object = None) -> str:
    """Return a documentation comment; ``default`` is a setting's default value."""
    lines = text.splitlines()
    if default not in (None, ""):
        lines.append(f"@default {json.dumps(default)}")
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def union(words: tuple[str, ...]) -> str:
    """Return a TypeScript union of words."""
    return " | ".join(f'"{word}"' for word in words)


def render() -> str:
    """Return the declarations of neuralens.mjs and of the globals."""
    own = [SETTINGS, *ADDONS.values()]
    settings = "\n".join(
        comment(SETTING_MEANINGS[name], "  ", each.default)
        + f"  {name}?: {TYPES[each.value_type]};"
        for part in own
        for name, each in part.items()
    )
    events = comment("\n".join(f"{name}: {text}." for name, text in EVENT_MEANINGS.items()))
    calls = "\n".join(
        comment(CALLS[name].meaning, "  ") + f'  (command: "{name}"{arguments}): void;'
        for name, arguments in ARGUMENTS.items()
    )
    return DECLARATIONS.substitute(
        events=events,
        event_names=union(EVENTS),
        pages=union(PAGES),
        consents=union(CONSENTS),
        listened=union(LISTENED),
        settings=settings,
        calls=calls,
    )
