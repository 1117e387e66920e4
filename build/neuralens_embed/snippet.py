"""Renders the embed snippet: the script tag for a shop's pages."""

import difflib
import re
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from neuralens_tracker.addon_settings import ADDONS, CONSENT, name_file
from neuralens_tracker.value_types import TEXT, expected, read
from neuralens_tracker.vocabulary import PENDING

from neuralens_embed import bundles
from neuralens_embed.attributes import (
    MarkupError,
    attributes,
    check_leniently,
    check_strictly,
    choice,
    query,
    report,
    text,
)
from neuralens_embed.names import EVERY_SETTING, RELAY_PATH, kebab, snake
from neuralens_embed.page_tokens import MIN_SECRET, SECRET, WEAK, make_token, read_secret

# Each runtime's file.
RUNTIMES = {
    "javascript": "neuralens.js",
    "brython": "neuralens.brython.js",
    "pyscript": "neuralens.pyscript.js",
}
STUB = "neuralens.stub.js"
# Records events while a heavy runtime loads, and loads it.
EARLY = "neuralens.early.js"
HEAVY = ("brython", "pyscript")
# MicroPython without PyScript's core, for pages whose CSP allows only 'wasm-unsafe-eval'.
ALONE = ("alone",)
# The consent platforms with an add-on.
PLATFORMS = [name.removeprefix(CONSENT) for name in ADDONS if name.startswith(CONSENT)]
# The value type of each setting, by its name as a Python argument.
VALUE_TYPES: dict[str, Any] = {snake(name): each.value_type for name, each in EVERY_SETTING.items()}
# Settings whose empty text counts as None: templates print it for guests, and without a search.
MAY_BE_EMPTY = ("uid", "query")
CROSSORIGIN = ("anonymous", "use-credentials")
# https://www.w3.org/TR/CSP3/#grammardef-base64-value
NONCE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
# Not allowed in inline scripts: https://html.spec.whatwg.org/#restrictions-for-contents-of-script-elements
UNSAFE_INLINE = re.compile(r"<!--|</?script", re.IGNORECASE)

TEMPLATES = Environment(loader=PackageLoader("neuralens_embed"), autoescape=True)


class Snippet:
    """The embed snippet of a page, to be printed or inserted into a template of any engine.

    ``settings`` are the tracker's, in snake_case (``page``, ``view_ms``, ...); None means the
    default. ``prefix`` is the path or URL at which pages reach the relay; it determines the
    script's URL and the endpoint. ``src`` is the script's URL if it is served elsewhere. For HEAVY
    runtimes the tag loads EARLY from the same folder. ``pyscript="alone"`` starts MicroPython
    without PyScript's core. ``addons`` are names of ADDONS, such as "ga4": each gets its own tag,
    with a file in the script's folder, and its settings are given like the tracker's.
    ``consent_platform`` is one of PLATFORMS, such as "onetrust": its add-on is loaded, and consent
    is pending until the platform decides, unless the setting ``consent`` is given.

    ``stub`` prepends the inline stub; ``nonce`` is added to all script elements. ``integrity`` adds
    the file's hash; ``versioned`` adds a prefix of the hash to the URL, so that browsers may cache
    the script for a year and an upgrade has its own URL. ``crossorigin`` defaults to anonymous if
    the script is on another host. ``page_secret``, or NEURALENS_PAGE_SECRET in the environment,
    signs a token for each rendered tag, see ``page_tokens``; "" disables that. ``folder`` is that
    of the built files, if not the default.

    If ``strict`` is false, for production, an invalid nonce, setting or secret is left out and
    logged once. Otherwise raises MarkupError for an invalid value, and NotBuiltError if the bundles
    are missing.
    """

    def __init__(
        self,
        app_id: str,
        *,
        prefix: str = RELAY_PATH,
        src: str | None = None,
        runtime: str = "javascript",
        pyscript: str | None = None,
        addons: Iterable[str] = (),
        consent_platform: str | None = None,
        stub: bool = False,
        nonce: Any = None,
        integrity: bool = True,
        versioned: bool = True,
        crossorigin: str | None = None,
        page_secret: str | None = None,
        folder: Path | None = None,
        strict: bool = True,
        **settings: Any,
    ) -> None:
        given = without_absent(settings)
        self.file = RUNTIMES[choice("runtime", runtime, RUNTIMES)]
        self.runtime = runtime
        self.pyscript = pyscript_option(pyscript, runtime)
        self.addons = [choice("addons", addon, ADDONS) for addon in listed("addons", addons)]
        if consent_platform is not None:
            self.addons.append(CONSENT + choice("consent_platform", consent_platform, PLATFORMS))
            # Until the platform reports a decision.
            given.setdefault("consent", PENDING)
        prefix = path_or_origin("prefix", prefix)
        self.src = f"{prefix}/{self.file}" if src is None else address("src", src)
        if prefix != RELAY_PATH:
            given.setdefault("endpoint", f"{prefix}/events")
        self.stub = stub
        self.integrity = integrity
        self.versioned = versioned
        self.folder = folder
        self.crossorigin = cors_mode(crossorigin, self.src)
        check = check_strictly if strict else check_leniently
        self.nonce = None if nonce is None else check(base64_text, "nonce", nonce)
        name, secret = "page_secret", page_secret
        if secret is None:
            name, secret = SECRET, read_secret()
        self._page_secret = check(strong_secret, name, secret) if secret else None
        refuse_unloaded(given, self.addons)
        self.settings: dict[str, str | None] = {
            "app_id": setting("app_id", app_id),
            **{name: check(setting, name, value) for name, value in given.items()},
        }

    def render(self) -> Markup:
        """Return the snippet as HTML."""
        settings = self.settings
        if self._page_secret and "token" not in settings:
            token = make_token(self._page_secret, str(settings["app_id"]), time.time())
            settings = {**settings, "token": token}
        fetching = [("crossorigin", self.crossorigin), ("nonce", self.nonce)]
        tag = attributes(
            [
                *self.addresses(),
                *fetching,
                ("data-pyscript", self.pyscript),
                *((f"data-{kebab(name)}", value) for name, value in settings.items()),
            ]
        )
        return Markup(  # noqa: S704 - rendered with autoescape
            TEMPLATES.get_template("snippet.html.jinja").render(
                preconnects=self.preconnects(),
                stub=inline(bundles.read(STUB, self.folder)) if self.stub else None,
                nonce=attributes([("nonce", self.nonce)]),
                tag=tag,
                addons=[attributes([*self.beside(name_file(a)), *fetching]) for a in self.addons],
            )
        )

    def addresses(self) -> list[tuple[str, str | None]]:
        """Return the tag's attributes for loading the script, or EARLY and then the script."""
        src, integrity = self.locate(self.file, self.src)
        if self.runtime not in HEAVY:
            return [("src", src), ("integrity", integrity)]
        return [
            *self.beside(EARLY),
            ("data-src", src),
            ("data-integrity", integrity),
        ]

    def beside(self, file: str) -> list[tuple[str, str | None]]:
        """Return the attributes for loading a built file from the script's folder."""
        src, integrity = self.locate(file, urljoin(self.src, file))
        return [("src", src), ("integrity", integrity)]

    def locate(self, file: str, src: str) -> tuple[str, str | None]:
        """Return the URL of a built file, and its integrity, as the options ask for."""
        if not (self.integrity or self.versioned):
            return src, None
        integrity = bundles.integrity(file, self.folder)
        if self.versioned:
            src += f"{'&' if '?' in src else '?'}v={bundles.version(integrity)}"
        return src, integrity if self.integrity else None

    __html__ = render

    def __str__(self) -> Markup:
        # Django's engine calls str() first: it must get Markup, or it would escape the snippet.
        return self.render()

    def preconnects(self) -> list[Markup]:
        """Return the attributes of a preconnect link for each other host that the tracker contacts.

        A browser reuses the connection only for requests with the same CORS mode: that of the
        script is ``crossorigin``; beacons send credentials.
        """
        origins = {
            (origin(self.src), self.crossorigin): None,
            (origin(self.settings.get("endpoint") or ""), None): None,
        }
        return [
            attributes([("rel", "preconnect"), ("href", href), ("crossorigin", crossorigin)])
            for href, crossorigin in origins
            if href
        ]


def render_tag(*, strict: bool = True, **arguments: Any) -> Markup:
    """Render a Snippet, for a page that must not fail in production because of its arguments.

    If ``strict`` is false and a required argument, such as the prefix, is invalid, that is logged
    once and nothing is rendered. Otherwise raises as Snippet does.
    """
    try:
        return Snippet(strict=strict, **arguments).render()
    except MarkupError as error:
        if strict:
            raise
        report(f"the snippet, because {error}")
        return Markup("")


def without_absent(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that count as absent: None, or empty where that is allowed."""
    return {
        name: value
        for name, value in settings.items()
        if value is not None and not (value == "" and name in MAY_BE_EMPTY)
    }


def pyscript_option(value: str | None, runtime: str) -> str | None:
    """Validate ``pyscript``, which is for one runtime alone; raises MarkupError."""
    if value is not None:
        choice("pyscript", value, ALONE)
        if runtime != "pyscript":
            raise MarkupError(f"pyscript is for the runtime pyscript, not {runtime}")
    return value


def path_or_origin(name: str, value: str) -> str:
    """Validate a prefix, and return it without a slash at its end; raises MarkupError."""
    prefix = address(name, value).rstrip("/")
    if prefix and not prefix.startswith("/") and not origin(prefix):
        raise MarkupError(f"{name} must be a URL or begin with /, not {prefix!r:.80}")
    return prefix


def cors_mode(value: str | None, src: str) -> str | None:
    """Validate ``crossorigin``; by default it is anonymous for a script on another host."""
    if value is not None:
        return choice("crossorigin", value, CROSSORIGIN)
    return CROSSORIGIN[0] if urlsplit(src).netloc else None


def refuse_unloaded(settings: Collection[str], addons: list[str]) -> None:
    """Raise MarkupError if there is a setting of an add-on that is not loaded."""
    for addon in ADDONS.keys() - addons:
        for name in map(snake, ADDONS[addon]):
            if name in settings:
                raise MarkupError(f"{name} is a setting of {addon}: put that into addons")


def base64_text(name: str, value: Any) -> str:
    """Validate a nonce; reading a lazy one also adds it to the page's policy."""
    nonce = text(name, value)
    if not NONCE.fullmatch(nonce):
        raise MarkupError(f"{name} must be base64 text, not {nonce!r:.80}")
    return nonce


def strong_secret(name: str, value: Any) -> str:
    """Validate a secret, which no message may contain."""
    if not isinstance(value, str) or len(value) < MIN_SECRET:
        raise MarkupError(f"{name} {WEAK}")
    return value


def setting(name: str, value: Any) -> str:
    """Validate a setting, named in snake_case, and return its text for the tag."""
    if name not in VALUE_TYPES:
        known = difflib.get_close_matches(name, VALUE_TYPES, n=1)
        hint = f"did you mean {known[0]}?" if known else f"there are {', '.join(VALUE_TYPES)}"
        raise MarkupError(f"there is no setting {name}: {hint}")
    value_type = VALUE_TYPES[name]
    if name == "query":
        return query(name, value)
    if name == "endpoint":
        return address(name, value)
    if value_type == TEXT:
        return text(name, value)
    if read(value_type, value) is None:
        raise MarkupError(f"{name} must be {expected(value_type)}, not {value!r:.80}")
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(name: str, values: Any) -> list[Any]:
    """Return distinct values as a list; raise MarkupError for a single string."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise MarkupError(f"{name} must be a list, not {values!r:.80}")
    return list(dict.fromkeys(values))


def address(name: str, value: Any) -> str:
    """Validate a path or an http(s) URL; raises MarkupError."""
    url = text(name, value, most=2048)
    if re.search(r"[\s\x00-\x20\\]", url) or not is_http(url):
        raise MarkupError(f"{name} must be a path or an http or https URL, not {url!r:.80}")
    return url


def is_http(url: str) -> bool:
    """Return whether a URL is a path, or has a host and no scheme but http or https."""
    try:
        parts = urlsplit(url)
        # The property ``port`` raises ValueError if it is invalid.
        is_valid = parts.scheme in ("", "http", "https") and parts.port != 0
        return is_valid and (bool(parts.hostname) or not (parts.scheme or url.startswith("//")))
    except ValueError:
        return False


def origin(url: str) -> str:
    """Return the origin of a URL; "" for a path."""
    parts = urlsplit(url)
    return f"{parts.scheme + ':' if parts.scheme else ''}//{parts.netloc}" if parts.netloc else ""


def inline(script: str) -> Markup:
    """Return a script for inline use, unchanged; raise MarkupError if it cannot be inlined."""
    if UNSAFE_INLINE.search(script):
        raise MarkupError(f"{STUB} contains a script tag or <!-- and cannot be inlined")
    return Markup(script)  # noqa: S704 - the build's own file, checked above
