"""A program in place of the tracker, which tests every function of the adapter in a page.

``window.found`` are its findings, as JSON by name; ``window.neuralens`` executes commands.
"""

from typing import Any

from neuralens_tracker.web import ffi

found: dict[str, Any] = {}
caught: list[str] = []


def note(name: str, value: Any) -> None:
    """Report a finding to the page, as JSON."""
    found[name] = value
    ffi.put(ffi.get(ffi.window, "found"), name, ffi.dump(value))


def report(message: str) -> None:
    """Record the exceptions that the guard caught."""
    caught.append(message)
    note("caught", caught)


def try_properties() -> None:
    """Read and write properties of a browser object."""
    window = ffi.window
    thing = ffi.record({"text": "é\U0001f600", "flag": True, "list": ["a", "b"], "half": 0.5})
    note("text", ffi.get(thing, "text"))
    note("length", len(ffi.get(thing, "text")))
    note("flag", ffi.get(thing, "flag") is True)
    note("list", [item + "!" for item in ffi.elements(ffi.get(thing, "list"))])
    note("half", ffi.get(thing, "half") * 2)
    note("missing is None", ffi.get(window, "noSuchThing") is None)
    ffi.put(thing, "nothing", None)
    note("null is None", ffi.get(thing, "nothing") is None)
    ffi.put(thing, "thing", thing)
    note("same", ffi.same(ffi.get(thing, "thing"), thing))
    note("not the same", ffi.same(ffi.get(thing, "thing"), ffi.record({})))
    note("not none", ffi.same(thing, None))
    note("plain", ffi.call(ffi.get(window, "JSON"), "stringify", ffi.record({"a": True, "b": [1]})))


def try_numbers() -> None:
    """Pass integers, large numbers and floats."""
    date = ffi.get(ffi.window, "Date")
    note("clock", ffi.call(date, "now") > 1700000000000)
    math = ffi.get(ffi.window, "Math")
    note("largest", ffi.call(math, "max", 4294967296, 1.5) == 4294967296)
    note("lowest", ffi.call(math, "min", -4294967296, 1.5) == -4294967296)
    note("small", ffi.call(math, "max", 1, 2))


def try_json() -> None:
    """Parse and serialize JSON."""
    text = '{"a": [1, 2.5, {"b": null}], "é": true, "t": 1715644800.25, "n": 1715644800123}'
    value = ffi.parse(text)
    note("parsed", value)
    note("sum", value["a"][0] + value["a"][1])
    note("none inside", value["a"][2]["b"] is None)
    note("again", ffi.parse(ffi.dump(value)) == value)
    note("keys", ffi.parse(ffi.dump({"constructor": 1, "7": "x"})))
    note("broken", ffi.parse("{") is None)


def try_calls() -> None:
    """Call functions, construct objects, and use callbacks."""
    document = ffi.get(ffi.window, "document")
    tiles = ffi.elements(ffi.call(document, "querySelectorAll", "[data-tile]"))
    note("tiles", [ffi.call(tile, "getAttribute", "data-tile") for tile in tiles])
    note("no attribute", ffi.call(tiles[0], "getAttribute", "none") is None)

    def seen(entries: Any, observer: Any) -> None:
        names = [
            ffi.call(ffi.get(entry, "target"), "getAttribute", "data-tile")
            for entry in ffi.elements(entries)
            if ffi.get(entry, "isIntersecting")
        ]
        note("seen", names)
        ffi.call(observer, "disconnect")

    options = ffi.record({"threshold": [0.5]})
    observer = ffi.construct("IntersectionObserver", ffi.callback(seen), options)
    for tile in tiles:
        ffi.call(observer, "observe", tile)

    def clicked(event: Any) -> None:
        tile = ffi.call(ffi.get(event, "target"), "closest", "[data-tile]")
        note("clicked", None if tile is None else ffi.call(tile, "getAttribute", "data-tile"))
        body = ffi.dump({"clicked": found["clicked"], "é": 0.5})
        navigator = ffi.get(ffi.window, "navigator")
        note("beacon", ffi.call(navigator, "sendBeacon", "/events", body))

    ffi.call(document, "addEventListener", "click", ffi.callback(clicked), True)

    def reply(response: Any) -> None:
        note("answer", ffi.get(response, "status"))

    def fail(error: Any) -> None:
        note("answer", str(ffi.get(error, "message")))

    ffi.call(ffi.call(ffi.window, "fetch", "/"), "then", ffi.callback(reply), ffi.callback(fail))
    note("no such class", ffi.construct("NoSuchThing") is None)


def try_storage() -> None:
    """Use storage, which may be blocked."""
    storage = ffi.get(ffi.window, "localStorage")
    note("storage", storage is not None)
    ffi.attempt(storage, "setItem", "key", "value")
    note("stored", ffi.attempt(storage, "getItem", "key"))
    note("not stored", ffi.attempt(storage, "getItem", "other") is None)


def throw(times: int) -> None:
    """Repeat calls that throw."""
    document = ffi.get(ffi.window, "document")
    for _ in range(times):
        ffi.attempt(document, "querySelector", "[[")
        ffi.call(document, "querySelector", "[[")
        ffi.get(None, "x")
        ffi.construct("URL", "no address")


def work(times: int) -> int:
    """Create garbage as a tracker does, and return its amount."""
    document = ffi.get(ffi.window, "document")
    count = 0
    for _ in range(times):
        for tile in ffi.elements(ffi.call(document, "querySelectorAll", "[data-tile]")):
            fields = {"id": ffi.call(tile, "getAttribute", "data-tile"), "n": [count, None]}
            count = count + len(ffi.dump(ffi.parse(ffi.dump(fields))))
    return count


def break_down(depth: int) -> None:
    """Raise an exception in nested calls."""
    if depth == 0:
        raise ValueError("out of order")
    break_down(depth - 1)


def start(tag: Any) -> None:
    """Test everything, and handle commands."""
    ffi.put(ffi.window, "found", ffi.record({}))
    ffi.on_caught(report)
    note("tag", ffi.get(ffi.get(tag, "dataset"), "appId"))
    try_properties()
    try_numbers()
    try_json()
    try_calls()
    try_storage()

    def command(name: Any = None, value: Any = None, *others: Any) -> Any:
        if name == "throw":
            throw(value)
        if name == "work":
            return work(value)
        if name == "raise":
            break_down(2)
        if name == "invoke":
            return ffi.invoke(value, "otherwise", "a", 1)
        if name == "note":
            note("noted", [value, len(others)])
        return None

    ffi.put(ffi.window, "neuralens", ffi.callback(command))
