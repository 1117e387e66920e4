"""The tracker's pure parts over fakes of the browser, driven by a script of calls.

It is portable Python itself: it runs on every engine, just as the tracker does.
"""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.acts import VIEW, Acts
from neuralens_tracker.attribution import Attribution
from neuralens_tracker.commands import Commands
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.constraints import Constraints
from neuralens_tracker.delivery import Delivery, backoff
from neuralens_tracker.events import find_fault, make_event
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.page_view import PageView
from neuralens_tracker.personal_data import round_location, scrub
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.recovery import Recovery
from neuralens_tracker.settings import resolve, validate
from neuralens_tracker.value_types import expected, is_digits, is_number, read
from neuralens_tracker.visit import Visit
from neuralens_tracker.web.ffi import dump, on_caught, parse

START = 1715644800.25
STEPS = 16


class Memory:
    """A fake localStorage: a list of [key, text]. If blocked, it neither reads nor writes."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._entries: list[Any] = given.get("stored") or []
        self._blocked = given.get("blocked") is True

    def read(self, key: str) -> Any:
        """Return the text stored under key, or None."""
        for entry in self._entries:
            if entry[0] == key and not self._blocked:
                return entry[1]
        return None

    def write(self, key: str, text: str) -> bool:
        """Store text under key; return whether that succeeded."""
        self.erase(key)
        if not self._blocked:
            self._entries.append([key, text])
        return not self._blocked

    def load(self, key: str) -> Any:
        """Return the fields stored under key as JSON: none if they are missing or corrupt."""
        fields = parse(self.read(key) or "null")
        return fields if isinstance(fields, dict) else {}

    def save(self, key: str, value: Any) -> bool:
        """Store a value as JSON under key; return whether that succeeded."""
        return self.write(key, dump(value))

    def erase(self, key: str) -> None:
        """Remove key."""
        self._entries = [entry for entry in self._entries if entry[0] != key]

    def names(self, start: str) -> list[str]:
        """Return the keys with this prefix."""
        return [entry[0] for entry in self._entries if entry[0].startswith(start)]


class Wire:
    """A fake transport: records batches, fires timers on request, and has a clock."""

    def __init__(self) -> None:
        self._time = 0
        self._step = 0
        self._sent: list[Any] = []
        self._callbacks: list[Any] = []
        self._timers: list[Any] = []
        self._named: list[str] = []
        self._alive: list[str] = ["living"]

    def count_step(self) -> None:
        """Begin a step of the script: its number is the digit of the ids it makes."""
        self._step += 1

    def random(self) -> float:
        """Return the step's share of 16."""
        return self._step % STEPS / STEPS

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return START + self._time / 1000

    def wait(self, milliseconds: float, handler: Any) -> None:
        """Call handler once, when that much time has passed."""
        self._timers.append([self._time + milliseconds, handler])

    def pass_time(self, milliseconds: float) -> None:
        """Advance the clock and fire the timers that are due, each at its time."""
        end = self._time + milliseconds
        index = self._first_due(end)
        while index >= 0:
            fired = self._timers[index]
            places = range(len(self._timers))
            self._timers = [self._timers[place] for place in places if place != index]
            self._time = max(self._time, fired[0])
            fired[1]()
            index = self._first_due(end)
        self._time = end

    def _first_due(self, end: float) -> int:
        """Return the index of the first timer to fire until ``end``, or -1."""
        first = -1
        for index in range(len(self._timers)):
            due = self._timers[index][0]
            if due <= end and (first < 0 or due < self._timers[first][0]):
                first = index
        return first

    def timers(self) -> list[float]:
        """Return the milliseconds until each timer fires."""
        return [timer[0] - self._time for timer in self._timers]

    def send(
        self, batch: dict[str, Any], as_beacon: bool, as_json: bool, _: bool, on_outcome: Any
    ) -> None:
        """Record a batch and its callback."""
        copied = parse(dump(batch))
        copied["beacon"] = as_beacon
        copied["json"] = as_json
        self._sent.append(copied)
        self._callbacks.append(on_outcome)

    def answer(self, index: int, status: int, error: str) -> None:
        """Answer the batch with an index; ``error`` is the relay's message, or ""."""
        on_outcome = self._callbacks[index]
        self._callbacks[index] = None
        if on_outcome is not None:
            on_outcome(status, error)

    def resolve(self, batch_id: str, status: int) -> None:
        """Answer the batch with an id, if it was sent here."""
        for index in range(len(self._sent)):
            if self._sent[index]["batch"] == batch_id:
                self.answer(index, status, "")

    def name(self, batch_ids: list[str]) -> None:
        """Set the batches in the relay's cookie."""
        self._named = batch_ids

    def read_acknowledged(self) -> list[str]:
        """Return the batches in the cookie."""
        return self._named

    def erase_acknowledged(self) -> None:
        """Erase the cookie."""
        self._named = []

    def hold(self, tab: str) -> None:
        """Mark a tab as open."""
        self._alive.append(tab)

    def release(self) -> None:
        """Mark all tabs as closed."""
        self._alive = []

    def if_gone(self, tab: str, act: Any) -> None:
        """Act unless an open tab has that name."""
        if tab not in self._alive:
            act(tab)

    def sent(self) -> list[Any]:
        """Return the batches sent so far, each with whether it was a beacon and JSON."""
        return self._sent


class World:
    """All parts, created anew for each case; ``given`` holds settings, stored and blocked."""

    def __init__(self, given: dict[str, Any]) -> None:
        # Each engine words its exceptions differently.
        on_caught(lambda sentence: None)
        self._reported: list[str] = []
        self._emitted: list[Any] = []
        self._page_views = 0
        self._popped: list[Any] = []
        self._has_signal = given.get("signal") is True
        self._memory = Memory(given)
        self._wire = Wire()
        self._hooks = Hooks(self.copy, self.from_browser, self.invoke, self.report)
        self._settings = resolve(given.get("settings") or {}, self.report)
        self._identity = Identity(self._memory, self._wire.random)
        self._visit = Visit(
            self._settings, self._identity.find, self.has_signal, self._hooks.report
        )
        self._outbox = Outbox(self._memory, self._identity, self._wire, dump, self._hooks.report)
        self._constraints = Constraints(self._memory, self._wire.now(), False)
        self._delivery = Delivery(
            self._settings,
            self._visit,
            self._constraints,
            self._outbox,
            self._wire,
            self._hooks,
        )
        self._recovery = Recovery(self._visit, self._outbox, self._delivery, self._wire, self._wire)
        self._acts = Acts()
        self._confirmations = Confirmations()
        self._attribution = Attribution(self._settings, self._memory)
        # The elements on the page, and those that are hidden, each represented by its item's id.
        self._present: list[str] = []
        self._hidden: list[str] = []
        self._page_view = PageView(self.is_present, self.is_rendered)
        self._pipeline = Pipeline(
            self._visit,
            self._acts,
            self._attribution,
            self._memory,
            self._identity,
            self._outbox,
            self._delivery,
            self._wire,
            self._hooks,
        )
        self._commands = Commands(
            self._visit,
            self._pipeline,
            self._hooks,
            self._confirmations,
            self.set_consent,
            self.begin_page_view,
            self.flush,
            self._wire.now,
            self.from_browser,
        )
        self._calls = self.calls()

    def calls(self) -> dict[str, Callable[..., Any]]:
        """Return what a script may call, by name."""
        return {
            "value_types.is_digits": is_digits,
            "value_types.is_number": is_number,
            "value_types.read": read,
            "value_types.expected": expected,
            "events.find_fault": self.find_fault,
            "events.make_event": make_event,
            "settings.resolve": self.resolve,
            "settings.validate": self.validate,
            "personal_data.round_location": round_location,
            "personal_data.scrub": scrub,
            "visit.consent": self._visit.consent,
            "visit.set_consent": self._visit.set_consent,
            "visit.uid": self._visit.uid,
            "visit.set_uid": self._visit.set_uid,
            "visit.page": self._visit.page,
            "visit.query": self._visit.query,
            "visit.set_context": self._visit.set_context,
            "visit.add_context": self._visit.add_context,
            "visit.geo": self._visit.geo,
            "visit.set_geo": self._visit.set_geo,
            "acts.begin_gesture": self._acts.begin_gesture,
            "acts.undo_gesture": self._acts.undo_gesture,
            "acts.admit": self._acts.admit,
            "attribution.apply": self.attribute,
            "attribution.store": self._attribution.store,
            "attribution.clear": self._attribution.clear,
            "confirmations.hold": self._confirmations.hold,
            "confirmations.take": self._confirmations.take,
            "page": self.put_page,
            "hide": self.hide,
            "page_view.start": self._page_view.start,
            "page_view.admit": self.admit,
            "page_view.keys": self._page_view.keys,
            "page_view.restore": self._page_view.restore,
            "page_view.record_signal": self._page_view.record_signal,
            "page_view.release_carried_over": self._page_view.release_carried_over,
            "page_view.restart": self._page_view.restart,
            "delivery.backoff": self.backoff,
            "identity.make_uuid": self._identity.make_uuid,
            "identity.find": self._identity.find,
            "outbox.adopt": self._outbox.adopt,
            "outbox.add": self._outbox.add,
            "outbox.count_lost": self._outbox.count_lost,
            "outbox.losses": self._outbox.losses,
            "outbox.journal": self._outbox.journal,
            "outbox.other_tabs": self._outbox.other_tabs,
            "outbox.acknowledge": self._outbox.acknowledge,
            "outbox.pop_batch": self.pop_batch,
            "outbox.requeue": self.requeue,
            "outbox.erase": self.erase,
            "outbox.clear": self._outbox.clear,
            "hooks.before": self._hooks.before,
            "hooks.on": self._hooks.on,
            "hooks.change": self._hooks.change,
            "hooks.emit": self._hooks.emit,
            "pipeline.track": self.track,
            "pipeline.set_consent": self.set_consent,
            "flush": self.flush,
            "leave": self.leave,
            "recovery.acknowledge": self._recovery.acknowledge,
            "neuralens": self._commands.run,
            "memory": self._memory.names,
            "memory.load": self._memory.load,
            "memory.read": self._memory.read,
            "wire.pass_time": self._wire.pass_time,
            "wire.timers": self._wire.timers,
            "wire.answer": self._wire.answer,
            "wire.name": self._wire.name,
            "wire.read_acknowledged": self._wire.read_acknowledged,
            "wire.sent": self._wire.sent,
            "reported": self.reported,
            "emitted": self.emitted,
            "page_views": self.page_views,
        }

    def play(self, steps: list[Any]) -> list[Any]:
        """Make the calls [name, argument, ...] and return what each of them returns.

        Each is a task of its own, so timers that are due fire in between.
        """
        answers: list[Any] = []
        for step in steps:
            self._wire.pass_time(0)
            self._wire.count_step()
            made = self._calls[step[0]]
            # Copied, because the tracker keeps and modifies what it is given.
            answers.append(self.copy(made(*self.copy(step[1:]))))
        return answers

    def track(self, name: Any, ids: Any, fields: dict[str, Any], key: Any) -> None:
        """Track a view, which no earlier view duplicates."""
        self._pipeline.track(name, ids, fields, key, VIEW)

    def attribute(self, event: dict[str, Any], now: float) -> list[Any]:
        """Return an event's query and index after attribution, and whether the query was filled."""
        is_filled = self._attribution.apply(event, now, False)
        return [event.get("query"), event.get("index"), is_filled]

    def put_page(self, ids: list[str]) -> None:
        """Put elements for exactly these item ids on the page."""
        self._present = ids

    def hide(self, ids: list[str]) -> None:
        """Hide exactly the elements for these item ids."""
        self._hidden = ids

    def is_rendered(self, element: Any) -> bool:
        """Return whether an element, represented by its item's id, is rendered."""
        return element not in self._hidden

    def is_present(self, element: Any, item_id: str) -> bool:
        """Return whether an element, represented by its item's id, is on the page."""
        return element == item_id and item_id in self._present

    def admit(self, key: str, now: float) -> bool:
        """Admit an item whose key, id and element are the same."""
        return self._page_view.admit(key, key, key, now)

    def find_fault(self, event: Any) -> Any:
        """Return an event's error as [field, message]."""
        fault = find_fault(event)
        return None if fault is None else [fault.field, fault.sentence]

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        """Resolve settings, recording problems."""
        return resolve(given, self.report)

    def validate(self, name: str, value: Any) -> Any:
        """Validate a setting, recording problems."""
        return validate(name, value, self.report)

    def backoff(self, attempt: int) -> float:
        """Return the milliseconds before a retry, with the step's share of 16 as jitter."""
        return backoff(attempt, self._wire.random)

    def report(self, message: str) -> None:
        """Record a message, without the values in it.

        How a value prints depends on the engine, and so does the order of a dict's keys.
        """
        self._reported.append(message.split(", not ")[0].split(" one of ")[0])

    def reported(self) -> list[str]:
        """Return the messages since the last call, sorted."""
        reported = self._reported
        self._reported = []
        return sorted(reported, key=lambda message: message)

    def emitted(self) -> list[Any]:
        """Return what the listeners received since the last call."""
        emitted = self._emitted
        self._emitted = []
        return emitted

    def set_consent(self, state: Any, *_: Any) -> None:
        """Apply the shopper's decision."""
        self._pipeline.set_consent(state)
        self._recovery.apply_consent()

    def flush(self, *_: Any) -> None:
        """Send what waits."""
        self._recovery.begin()
        self._delivery.flush(False)

    def leave(self, ended: bool) -> None:
        """Flush a page that is hidden, or has ended."""
        self._recovery.begin()
        self._delivery.flush(True)
        if ended:
            self._recovery.leave()

    def pop_batch(self, max_characters: int) -> list[Any]:
        """Pop a batch and return its events; the entries are kept for ``requeue`` and ``erase``."""
        popped = self._outbox.pop_batch(max_characters)
        self._popped.extend(popped)
        return [entry.event for entry in popped]

    def requeue(self, eids: list[str]) -> None:
        """Requeue popped entries."""
        self._outbox.requeue([entry for entry in self._popped if entry.event["eid"] in eids])

    def erase(self, eids: list[str]) -> None:
        """Erase popped entries."""
        self._outbox.erase([entry for entry in self._popped if entry.event["eid"] in eids])

    def begin_page_view(self) -> None:
        """Count a page view."""
        self._page_views += 1

    def page_views(self) -> int:
        """Return the number of page views so far."""
        return self._page_views

    def has_signal(self) -> bool:
        """Return whether the browser sends Global Privacy Control."""
        return self._has_signal

    def copy(self, value: Any) -> Any:
        """Return a copy of a JSON value, as the page's functions would get it."""
        return None if value is None else parse(dump(value))

    def from_browser(self, thing: Any) -> Any:
        """Return a copy of a dict; None for anything else."""
        return self.copy(thing) if isinstance(thing, dict) else None

    def invoke(self, handler: Any, otherwise: Any, value: Any) -> Any:
        """Do what a function of the page would, described by data.

        {"throws": true}, {"returns": value}, {"sets": fields} or {"tells": name}.
        """
        if handler.get("throws") is True:
            return otherwise
        if handler.get("tells") is not None:
            self._emitted.append([handler.get("tells"), value])
            return None
        if handler.get("sets") is not None:
            value.update(handler.get("sets"))
            return value
        return handler.get("returns")


def start(given: dict[str, Any]) -> list[Any]:
    """Play the steps of one case in a new world."""
    world = World(given)
    return world.play(given["steps"])
