"""The tracker's pure parts among stand-ins for the browser, driven by a script of calls.

Portable Python itself: it is compiled, translated and interpreted just as the tracker is.
"""

from typing import Any

from neuralens_tracker.acts import VIEW, Acts
from neuralens_tracker.attribution import Attribution
from neuralens_tracker.commands import Commands
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.delivery import Delivery, backoff
from neuralens_tracker.events import find_fault, make_event
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.page_view import PageView
from neuralens_tracker.personal_data import round_location, scrub
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.settings import choose, resolve
from neuralens_tracker.value_types import is_digits, is_number, read, wanted
from neuralens_tracker.visit import Visit
from neuralens_tracker.web.ffi import dump, on_caught, parse

START = 1715644800.25
STEPS = 16


class Memory:
    """localStorage as a list of [key, text]; blocked, it neither reads nor writes."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._entries: list[Any] = given.get("stored") or []
        self._blocked = given.get("blocked") is True

    def read(self, key: str) -> Any:
        """Return the text kept under key, or None."""
        for entry in self._entries:
            if entry[0] == key and not self._blocked:
                return entry[1]
        return None

    def write(self, key: str, text: str) -> bool:
        """Keep text under key and tell whether it is really there."""
        self.erase(key)
        if not self._blocked:
            self._entries.append([key, text])
        return not self._blocked

    def load(self, key: str) -> Any:
        """Return the value whose JSON is kept under key; None where there is none."""
        return parse(self.read(key) or "null")

    def save(self, key: str, value: Any) -> bool:
        """Keep a value as JSON under key and tell whether it is really there."""
        return self.write(key, dump(value))

    def erase(self, key: str) -> None:
        """Forget what is under key."""
        self._entries = [entry for entry in self._entries if entry[0] != key]

    def names(self, start: str) -> list[str]:
        """Return the keys that begin with start."""
        return [entry[0] for entry in self._entries if entry[0].startswith(start)]


class Wire:
    """The relay's end: batches as they were sent, timers that fire on request, a clock."""

    def __init__(self) -> None:
        self._time = 0
        self._step = 0
        self._sent: list[Any] = []
        self._reports: list[Any] = []
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
        """Call handler once, when the time has gone on that far."""
        self._timers.append([self._time + milliseconds, handler])

    def pass_time(self, milliseconds: float) -> None:
        """Let the time go on, and what is due by then happen."""
        self._time += milliseconds
        time = self._time
        due = [timer for timer in self._timers if timer[0] <= time]
        self._timers = [timer for timer in self._timers if timer[0] > time]
        for fired in due:
            fired[1]()

    def timers(self) -> list[float]:
        """Return the milliseconds until each timer fires."""
        return [timer[0] - self._time for timer in self._timers]

    def send(
        self, batch: dict[str, Any], as_beacon: bool, as_json: bool, _: bool, report: Any
    ) -> None:
        """Keep a batch, and what to call with the answer's status."""
        kept = parse(dump(batch))
        kept["beacon"] = as_beacon
        kept["json"] = as_json
        self._sent.append(kept)
        self._reports.append(report)

    def answer(self, index: int, status: int, error: str) -> None:
        """Answer the batch that was sent at that index; the relay's own word, or ""."""
        report = self._reports[index]
        self._reports[index] = None
        if report is not None:
            report(status, error)

    def resolve(self, batch_id: str, status: int) -> None:
        """Answer the batch of that id, if it was sent here."""
        for index in range(len(self._sent)):
            if self._sent[index]["batch"] == batch_id:
                self.answer(index, status, "")

    def name(self, batch_ids: list[str]) -> None:
        """Name batches in the relay's cookie."""
        self._named = batch_ids

    def read_confirmed(self) -> list[str]:
        """Return the batches that the cookie names."""
        return self._named

    def erase_confirmed(self) -> None:
        """Erase the cookie."""
        self._named = []

    def hold(self, tab: str) -> None:
        """Be alive under a name."""
        self._alive.append(tab)

    def release(self) -> None:
        """Be gone."""
        self._alive = []

    def when_gone(self, tab: str, act: Any) -> None:
        """Act unless a tab of that name lives."""
        if tab not in self._alive:
            act(tab)

    def sent(self) -> list[Any]:
        """Return the batches sent so far, with whether each was a beacon."""
        return self._sent


class World:
    """Every part, made anew for each case; ``given`` holds settings, stored and blocked."""

    def __init__(self, given: dict[str, Any]) -> None:
        # Each engine has words of its own for what its adapter catches.
        on_caught(lambda sentence: None)
        self._said: list[str] = []
        self._told: list[Any] = []
        self._page_views = 0
        self._taken: list[Any] = []
        self._has_signal = given.get("signal") is True
        self._memory = Memory(given)
        self._wire = Wire()
        self._hooks = Hooks(self.copy, self.from_browser, self.invoke, self.say)
        self._settings = resolve(given.get("settings") or {}, self.say)
        self._identity = Identity(self._memory, self._wire.random)
        self._visit = Visit(self._settings, self._identity.find, self.has_signal, self._hooks.say)
        self._outbox = Outbox(self._memory, self._identity, self._wire, dump, self._hooks.say)
        self._delivery = Delivery(
            self._settings,
            self._visit,
            self._memory,
            self._outbox,
            self._wire,
            self._wire,
            self._hooks,
        )
        self._acts = Acts()
        self._confirmations = Confirmations()
        self._attribution = Attribution(self._settings, self._memory)
        # The elements on the page, each by the id of the item that it is.
        self._standing: list[str] = []
        self._page_view = PageView(self.stands)
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
            self._delivery,
            self._hooks,
            self._confirmations,
            self.set_consent,
            self.begin_page_view,
            self._wire.now,
            self.from_browser,
        )
        self._calls = {
            "value_types.is_digits": is_digits,
            "value_types.is_number": is_number,
            "value_types.read": read,
            "value_types.wanted": wanted,
            "events.find_fault": self.find_fault,
            "events.make_event": make_event,
            "settings.resolve": self.resolve,
            "settings.choose": self.choose,
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
            "acts.is_repeated": self._acts.is_repeated,
            "attribution.apply": self.attribute,
            "attribution.store": self._attribution.store,
            "attribution.clear": self._attribution.clear,
            "confirmations.hold": self._confirmations.hold,
            "confirmations.take": self._confirmations.take,
            "page": self.put_page,
            "page_view.start": self._page_view.start,
            "page_view.is_new": self.is_new,
            "page_view.keys": self._page_view.keys,
            "page_view.recall": self._page_view.recall,
            "page_view.notice": self._page_view.notice,
            "page_view.settle": self._page_view.settle,
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
            "outbox.confirm": self._outbox.confirm,
            "outbox.pop_batch": self.pop_batch,
            "outbox.requeue": self.requeue,
            "outbox.erase": self.erase,
            "outbox.clear": self._outbox.clear,
            "hooks.before": self._hooks.before,
            "hooks.on": self._hooks.on,
            "hooks.change": self._hooks.change,
            "hooks.emit": self._hooks.emit,
            "pipeline.track": self.track,
            "pipeline.set_consent": self._pipeline.set_consent,
            "delivery.flush": self._delivery.flush,
            "delivery.confirm": self._delivery.confirm,
            "delivery.leave": self._delivery.leave,
            "neuralens": self._commands.run,
            "memory": self._memory.names,
            "memory.read": self._memory.read,
            "wire.pass_time": self._wire.pass_time,
            "wire.timers": self._wire.timers,
            "wire.answer": self._wire.answer,
            "wire.name": self._wire.name,
            "wire.sent": self._wire.sent,
            "said": self.said,
            "told": self.told,
            "page_views": self.page_views,
        }

    def play(self, steps: list[Any]) -> list[Any]:
        """Make the calls [name, argument, ...] and return what each of them returns."""
        answers: list[Any] = []
        for step in steps:
            self._wire.count_step()
            made = self._calls[step[0]]
            # A copy, for the tracker keeps what it was given and goes on working with it.
            answers.append(self.copy(made(*self.copy(step[1:]))))
        return answers

    def track(self, name: Any, ids: Any, fields: dict[str, Any], key: Any) -> None:
        """Track a view, which is never a repetition."""
        self._pipeline.track(name, ids, fields, key, VIEW)

    def attribute(self, event: dict[str, Any], now: float) -> list[Any]:
        """Return an event's query and index as attribution leaves them, and whether it filled."""
        is_filled = self._attribution.apply(event, now)
        return [event.get("query"), event.get("index"), is_filled]

    def put_page(self, ids: list[str]) -> None:
        """Have elements on the page that stand for items of these ids, and no others."""
        self._standing = ids

    def stands(self, element: Any, item_id: str) -> bool:
        """Tell whether an element, which goes by its item's id here, is on the page."""
        return element == item_id and item_id in self._standing

    def is_new(self, key: str, now: float) -> bool:
        """Tell whether an item is to be told, which is on the page as an element of its own."""
        return self._page_view.is_new(key, key, key, now)

    def find_fault(self, event: Any) -> Any:
        """Return what is wrong with an event as [field, sentence]."""
        fault = find_fault(event)
        return None if fault is None else [fault.field, fault.sentence]

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        """Resolve settings, saying what is wrong."""
        return resolve(given, self.say)

    def choose(self, name: str, value: Any) -> Any:
        """Choose a setting's value, saying what is wrong."""
        return choose(name, value, self.say)

    def backoff(self, attempt: int) -> float:
        """Return the milliseconds before a try, with the step's share of 16 as the random part."""
        return backoff(attempt, self._wire.random)

    def say(self, sentence: str) -> None:
        """Keep a sentence for the console, up to the value that it was about, and to the words.

        How a value is written depends on the engine, and so does the order of a dict's keys.
        """
        self._said.append(sentence.split(", not ")[0].split(" one of ")[0])

    def said(self) -> list[str]:
        """Return what was said since this was last asked, by the alphabet."""
        said = self._said
        self._said = []
        return sorted(said, key=lambda sentence: sentence)

    def told(self) -> list[Any]:
        """Return what the listeners were told since this was last asked."""
        told = self._told
        self._told = []
        return told

    def set_consent(self, state: Any, *_: Any) -> None:
        """Follow the shopper's decision."""
        self._pipeline.set_consent(state)

    def pop_batch(self, most: int) -> list[Any]:
        """Return the events of the first entries, which stay at hand."""
        taken = self._outbox.pop_batch(most)
        self._taken.extend(taken)
        return [entry.event for entry in taken]

    def requeue(self, eids: list[str]) -> None:
        """Put entries back that were taken."""
        self._outbox.requeue([entry for entry in self._taken if entry.event["eid"] in eids])

    def erase(self, eids: list[str]) -> None:
        """Erase entries that were taken."""
        self._outbox.erase([entry for entry in self._taken if entry.event["eid"] in eids])

    def begin_page_view(self) -> None:
        """Count a new page view."""
        self._page_views += 1

    def page_views(self) -> int:
        """Return the new page views so far."""
        return self._page_views

    def has_signal(self) -> bool:
        """Tell whether the browser asks for privacy."""
        return self._has_signal

    def copy(self, value: Any) -> Any:
        """Return a copy of a JSON value, as the page's functions get one."""
        return None if value is None else parse(dump(value))

    def from_browser(self, thing: Any) -> Any:
        """Return a copy of a dict; None for anything else."""
        return self.copy(thing) if isinstance(thing, dict) else None

    def invoke(self, handler: Any, otherwise: Any, value: Any) -> Any:
        """Do what a function of the page would, as data says.

        {"throws": true}, {"returns": value}, {"sets": fields} or {"tells": name}.
        """
        if handler.get("throws") is True:
            return otherwise
        if handler.get("tells") is not None:
            self._told.append([handler.get("tells"), value])
            return None
        if handler.get("sets") is not None:
            value.update(handler.get("sets"))
            return value
        return handler.get("returns")


def start(given: dict[str, Any]) -> list[Any]:
    """Play one case: its steps, in a world of its own."""
    world = World(given)
    return world.play(given["steps"])
