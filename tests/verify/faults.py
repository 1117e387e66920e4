"""Shops with one seeded fault each, and the cause that ``verify`` must report.

``FAULTLESS`` are shops without any fault.
"""

import json
import re
from collections.abc import Callable
from itertools import count, cycle
from uuid import uuid4

from markupsafe import Markup
from neuralens_embed import bundles
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.verify.shops import Shop, tag

REMOTE = {"allowed_origins": ("{shop}",)}


def remote(shop: Shop) -> str:
    """Return the snippet for a relay on another origin, without a proxy."""
    return tag(shop, prefix=f"{shop.relay_url}/nl")


def pending(shop: Shop) -> str:
    """Return the snippet of a shop that asks for consent."""
    return tag(shop, consent="pending", stub=True)


def without_integrity(shop: Shop) -> str:
    return tag(shop, integrity=False, versioned=False)


def configured(shop: Shop) -> str:
    """Return the snippet of a shop that has its settings in an object, and asks for consent."""
    settings = {"appId": "shop-app", "consent": "pending", "viewMs": 100, "suggestionMs": 100}
    stub, _, _ = str(pending(shop)).partition("<script async")
    return (
        f"<script>window.neuralensConfig = {json.dumps(settings)}</script>{stub}"
        '<script async src="/nl/neuralens.js"></script>'
    )


def late(shop: Shop) -> str:
    """Return a script that inserts the snippet one second later, as tag managers do."""
    return f"""<script>setTimeout(() => {{
        const html = document.createRange().createContextualFragment({quoted(tag(shop))});
        document.head.append(html);
    }}, 1000)</script>"""


def inert(shop: Shop) -> str:
    """Return the snippet as a consent platform wants it, which changes the type after consent."""
    return tag(shop).replace(" async", " async type=text/plain")


def remote_script(shop: Shop) -> str:
    """Return the snippet with its script on the relay's origin, but without its CORS mode."""
    return tag(shop, src=f"{shop.relay_url}/nl/neuralens.js").replace("crossorigin", "data-cors")


def quoted(html: str) -> str:
    """Return HTML as a string of an inline script."""
    return json.dumps(str(html)).replace("</", "<\\/")


def minify(request: Request, response: Response) -> Response:
    """Change a script, as a CDN does that minifies it."""
    if not request.url.path.endswith(".js") or response.status_code != 200:
        return response
    return Response(bundles.read("neuralens.js") + "// minified", media_type="text/javascript")


def mislabel(request: Request, response: Response) -> Response:
    """Change what a script is said to be compressed with, but not the script."""
    changed = minify(request, response)
    if changed is not response:
        changed.headers["content-encoding"] = "gzip"
    return changed


def truncate(request: Request, response: Response) -> Response:
    """Cut a script short, as a proxy does whose disk is full."""
    if not request.url.path.endswith(".js") or response.status_code != 200:
        return response
    return Response(bundles.read("neuralens.js")[:5000], media_type="text/javascript")


def firewall(request: Request) -> Response | None:
    """Refuse requests for what is in them; a batch without events passes."""
    size = int(request.headers.get("content-length", 0))
    return Response(status_code=403) if request.method == "POST" and size > 200 else None


def others_accept(request: Request) -> Response | None:
    """Respond as another application does, whose receipts and health have other types."""
    if request.method == "POST":
        return JSONResponse({"accepted": "all", "duplicates": "no", "rejected": 0}, 202)
    health = {"forwarding": "running", "reasons": 0, "waiting": "no", "live": "yes"}
    return JSONResponse(health) if request.url.path.endswith("/health") else None


def nobody_accepts(request: Request) -> Response | None:
    return Response(status_code=202) if request.method == "POST" else None


def permanent_redirect(request: Request) -> Response | None:
    """Redirect to where browsers do repeat a POST, but nothing accepts it."""
    if request.method != "POST" or "/en/" in request.url.path:
        return None
    return RedirectResponse(f"/nl/en/events?{request.url.query}", 308)


def gateway_error(request: Request) -> Response | None:
    return Response(status_code=502) if request.method == "POST" else None


def every_second() -> Callable[[Request], Response | None]:
    """Return a function that fails every second batch, as a load balancer with a broken server."""
    answers = cycle([None, Response("No server is available", 503)])
    return lambda request: next(answers) if request.method == "POST" else None


def login(request: Request) -> Response | None:
    return Response(status_code=401) if request.method == "POST" else None


def page_for_scripts(request: Request) -> Response | None:
    """Respond as a server does that shows a single-page shop at every unknown address."""
    return HTMLResponse("<title>Shop</title>") if request.url.path.endswith(".js") else None


def page_for_events(request: Request) -> Response | None:
    return HTMLResponse("<title>Shop</title>") if request.method == "POST" else None


def too_large(request: Request) -> Response | None:
    return Response(status_code=413) if request.method == "POST" else None


def redirect(request: Request) -> Response | None:
    return RedirectResponse("/en/nl/events", 302) if request.method == "POST" else None


def script_and_events(path: str) -> str | None:
    """Forward what a proxy with one rule for each path does."""
    return path if path.endswith(("/neuralens.js", "/events")) else None


def with_redirect(shop: Shop) -> str:
    """Return the snippet of a shop whose page leads to that of a language while it is read."""
    redirect = "setTimeout(() => { location.search = 'lang=en' }, 50)"
    return f"<script>if (!location.search) {redirect}</script>{tag(shop)}"


def with_worker(shop: Shop) -> str:
    """Return the snippet of a shop whose service worker answers from its second page on."""
    return f"""<script>
    const workers = navigator.serviceWorker;
    if (!workers.controller) {{
        workers.addEventListener("controllerchange", () => location.reload());
        workers.register("/nl/worker.js", {{ scope: "/" }});
    }}
    </script>{tag(shop)}"""


def with_own_answers(shop: Shop) -> str:
    """Return the snippet of a shop whose service worker answers some requests by itself."""
    register = 'navigator.serviceWorker.register("/nl/worker.js", { scope: "/" })'
    return f"<script>{register}</script>{tag(shop)}"


def answering(condition: str, response: str) -> Callable[[Request], Response | None]:
    """Return a function that serves a service worker, which answers some requests by itself."""
    script = f"""addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("fetch", (event) => {condition} && event.respondWith({response}));
    """
    headers = {"Service-Worker-Allowed": "/"}

    def serve(request: Request) -> Response | None:
        if request.url.path != "/nl/worker.js":
            return None
        return Response(script, media_type="text/javascript", headers=headers)

    return serve


def keeper(request: Request) -> Response | None:
    """Respond with a service worker that has kept an old page."""
    if request.url.path != "/nl/worker.js":
        return None
    headers = {"Service-Worker-Allowed": "/"}
    return Response(KEEPER, media_type="text/javascript", headers=headers)


def wall(request: Request) -> Response | None:
    """Show no page before cookies are accepted."""
    is_page = not request.url.path.startswith(("/nl/", "/shop.js"))
    return HTMLResponse(WALL) if is_page and "wall" not in request.cookies else None


def gate_of_age(request: Request) -> Response | None:
    """Lead every page to one that asks for the age, until it is confirmed."""
    if request.url.path == "/age":
        return HTMLResponse(AGE_PAGE)
    is_page = not request.url.path.startswith(("/nl/", "/shop.js"))
    return RedirectResponse("/age") if is_page and "age" not in request.cookies else None


def login_form(request: Request) -> Response | None:
    """Show a form to log in, with the snippet, in place of every page."""
    is_page = not request.url.path.startswith(("/nl/", "/shop.js"))
    return HTMLResponse(f"{tag(Shop())}{LOGIN_FORM}") if is_page else None


def frame(request: Request) -> Response | None:
    """Show the shop in a frame of a page that has nothing else."""
    if request.url.path != "/" or request.url.query:
        return None
    return HTMLResponse('<title>Shop</title><iframe src="/?framed" width="999" height="900">')


def with_categories(path: str, html: str) -> str:
    """Take the search out of every page, and leave only links to categories on the home page."""
    html = re.sub(
        r'<form action="/search".*?</form>', "<input role=combobox hidden>", html, flags=re.S
    )
    links = '<main><nav><a href="/search?q=oak">Oak</a></nav></main>'
    return re.sub("<main>.*</main>", links, html, flags=re.S) if path == "/" else html


def countries(request: Request) -> Response | None:
    """Ask for a country before the shop."""
    if request.url.path != "/" or request.url.query:
        return None
    return HTMLResponse('<title>Chairs</title><h1>Your country?</h1><a href="/?en">Ireland</a>')


def behind_button(path: str, html: str) -> str:
    """Show the search after a click on an icon alone, which has a label in another language."""
    opener = "this.hidden = true; this.nextElementSibling.hidden = false"
    button = f'<button aria-label="Suche öffnen" onclick="{opener}">o</button>'
    return html.replace("<form ", f"{button}<form hidden ")


def without_links(path: str, html: str) -> str:
    """Have a script follow clicks on tiles, in place of links."""
    return re.sub(
        r'<li (data-nl-product="[^"]*")><h3><a href="([^"]*)">(.*?)</a>',
        r"""<li \1 onclick="location.href='\2'"><h3>\3""",
        html,
    )


def old_page(request: Request) -> Response | None:
    """Respond as a cache does that has kept a page from before the tag, unless it is bypassed."""
    is_page = request.url.path == "/" and "neuralens-verify" not in request.url.query
    return HTMLResponse(OLD_PAGE) if is_page else None


def repeat_origin(request: Request, response: Response) -> Response:
    """Add a header that the relay has added, too, as a proxy does."""
    name = "access-control-allow-origin"
    if name in response.headers:
        response.headers.append(name, response.headers[name])
    return response


def under_another_name(shop: Shop) -> str:
    """Return the snippet with its endpoint at another name of the shop's host."""
    return tag(shop, endpoint=shop.url.replace("127.0.0.1", "localhost") + "/nl/events")


def worker(request: Request) -> Response | None:
    """Respond with a service worker that has kept an old script."""
    if request.url.path != "/nl/worker.js":
        return None
    script = f"""const old = {json.dumps(OLD.decode())};
    const headers = {{ "Content-Type": "text/javascript" }};
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("fetch", (event) => event.request.url.includes("/neuralens.js") &&
        event.respondWith(new Response(old, {{ headers }})));
    """
    headers = {"Service-Worker-Allowed": "/"}
    return Response(script, media_type="text/javascript", headers=headers)


def render_again(path: str, html: str) -> str:
    """Have a script render a page's items again without their attributes, as hydration may."""
    return html.replace(
        "</main>",
        """</main><script>
        const main = document.querySelector("main");
        main.innerHTML = main.innerHTML.replace(/ data-nl-(product|landing)="[^"]*"/g, "");
        </script>""",
    )


def rendered_late(path: str, html: str) -> str:
    """Have a script render the items of a page, which the server sends without attributes."""
    (items,) = re.findall(r"<main>(.*?)</main>", html, re.DOTALL)
    bare = re.sub(r' data-nl-[a-z]+="[^"]*"', "", items)
    script = f"document.querySelector('main').innerHTML = {quoted(items)}"
    return html.replace(items, bare).replace(
        "</main>", f"</main><script>setTimeout(() => {{ {script} }}, 2500)</script>"
    )


def in_fixed_element(path: str, html: str) -> str:
    """Show a page in an element that covers it, with a text as of a question for the age."""
    trap = '<p>From 18 years</p><button onclick="document.body.remove()">Continue</button>'
    opened = '<div style="position: fixed; inset: 40px 0 0; overflow: auto"><main>'
    return html.replace("<main>", opened).replace("</main>", f"</main>{trap}</div>")


def from_one(path: str, html: str) -> str:
    """Give each product its rank, but from 1."""
    first = re.search(r'data-nl-offset="(\d+)"', html)
    ranks = count(int(first[1]) + 1 if first else 1)
    return re.sub("<li data", lambda found: f'<li data-nl-index="{next(ranks)}" data', html)


def from_one_after_an_ad(path: str, html: str) -> str:
    """Have an advertisement count as the first of the products."""
    return from_one(path, html).replace("<li data", "<li>Advertisement</li><li data", 1)


def with_nonce(path: str, html: str) -> str:
    """Give the shop's own script the policy's nonce, and take the tag's from the results."""
    html = html.replace('<script src="/shop.js"', f'<script nonce="{NONCE}" src="/shop.js"')
    return re.sub(f'nonce="{NONCE}"', "", html, count=1) if path == "/search" else html


def with_banner(script: str) -> Callable[[str, str], str]:
    """Return a function that adds a script that asks for consent to every page."""
    return lambda path, html: html.replace("</main>", "</main>" + script)


def in_page(pattern: str, replacement: str) -> Callable[[str, str], str]:
    """Return a function that changes the HTML of every page."""
    return lambda path, html: re.sub(pattern, replacement, html)


def on_home(pattern: str, replacement: str) -> Callable[[str, str], str]:
    """Return a function that changes the HTML of the home page."""
    return lambda path, html: html if path != "/" else re.sub(pattern, replacement, html)


# A banner that is in a shadow tree or a frame.
BANNER = """<div><p>We use cookies.</p>
<button onclick="answer('granted')">Accept all</button>
<button onclick="answer('denied')">Reject all</button></div>"""
ASK = """<script>
const stored = localStorage.getItem("own-consent");
function answer(state) {
    localStorage.setItem("own-consent", state);
    document.getElementById("host")?.remove();
    neuralens("consent", state);
}
if (stored) answer(stored);
else {
    const host = document.createElement("%s");
    host.id = "host";
    document.body.append(host);
    %s
}
</script>"""
NAMED = ASK % (
    "section",
    """host.ariaLabel = "Privacy"; host.innerHTML = `<p>May we remember you?</p>
    <button onclick="answer('granted')">Allow</button>
    <button onclick="answer('denied')">Refuse</button>`;""",
)
SHADOW = ASK % ("div", f"host.attachShadow({{ mode: 'open' }}).innerHTML = {quoted(BANNER)};")
CLOSED = SHADOW.replace("'open'", "'closed'")
FRAME = ASK % ("iframe", f"host.srcdoc = {quoted(BANNER.replace('answer', 'parent.answer'))};")
# The same in a closed shadow tree that the HTML declares.
DECLARED = f"""<own-banner><template shadowrootmode="closed">{BANNER}</template></own-banner>
<script>
customElements.define("own-banner", class extends HTMLElement {{
    constructor() {{
        super();
        const [accept] = this.attachInternals().shadowRoot.querySelectorAll("button");
        const grant = () => {{
            localStorage.setItem("own-consent", "granted");
            neuralens("consent", "granted");
            this.hidden = true;
        }};
        accept.onclick = grant;
        if (localStorage.getItem("own-consent")) grant();
    }}
}});
</script>"""
# A question that hides each page until it is answered.
AGE = """<div id="age" style="position: fixed; inset: 0; background: white">
<p>Are you over 18?</p><button>Yes, I am</button><button>No</button></div><script>
const content = document.querySelector("main");
content.hidden = true;
document.querySelector("#age button").onclick = () => {
    content.hidden = false;
    document.getElementById("age").remove();
};
</script>"""
# An offer that nothing behind it can be used before it is closed.
OFFER = """<dialog id="offer"><p>10% off with our newsletter!</p><button>No thanks</button></dialog>
<script>if (!sessionStorage.getItem("seen")) {
    document.body.style.overflow = "hidden";
    offer.showModal();
    offer.querySelector("button").onclick = () => {
        sessionStorage.setItem("seen", "yes");
        document.body.style.overflow = "";
        offer.close();
    };
}</script>"""
WALL = """<title>Cookies</title><p>We use cookies, without which you cannot read this.</p>
<button onclick="document.cookie = 'wall=passed; path=/'; location.reload()">Accept all</button>"""
AGE_PAGE = """<!doctype html><title>Wine</title><p>Are you of legal drinking age?</p>
<a href="/" onclick="document.cookie = 'age=18; path=/'">Yes, I am 18 or older</a> <a>No</a>"""
LOGIN_FORM = "<title>Log in</title><form method=post><input type=password><button>Log in</button>"
OWN_STUB = """<script>
window.neuralens = (...call) => (window.neuralens.q = window.neuralens.q || []).push(call);
</script>"""
RELOAD = "<script>setTimeout(() => location.reload(), {})</script>"
DROP_VIEWS = """neuralens("before", (event) => event.event === "VIEW_PRODUCT" ? null : event);"""
FAVORITES = """setTimeout(() => {
    for (const { dataset } of document.querySelectorAll("[data-nl-product]")) {
        neuralens("track", "FAVORITE", { id: dataset.nlProduct });
    }
}, 500);"""
OTHER_WORD = """<script>neuralens("consent", "accepted")</script>"""
# Of a link that the shop's own script leaves alone.
NEW_TAB = 'target="_blank" onclick="event.stopPropagation()"'
# What Prototype.js adds to arrays and texts, and replaces.
PROTOTYPE = """<script>
Object.toJSON = (value) => Array.isArray(value) ? value.toJSON() : JSON.stringify(value);
Array.prototype.toJSON = function () { return `[${this.map(Object.toJSON).join(", ")}]`; };
String.prototype.toJSON = function () { return `"${this}"`; };
Array.from = (value) => (value ? [...value] : []);
</script>"""
REPLACED = """<script>
navigator.sendBeacon = () => true;
const request = window.fetch;
window.fetch = (url, ...rest) =>
    /nl/.test(url.url ?? url) ? Promise.reject(new TypeError()) : request(url, ...rest);
</script>"""
# Has the browser fetch pages before they are opened, as platforms of shops do by default.
SPECULATION = """<script type="speculationrules">
{"prefetch": [{"where": {"href_matches": "/*"}, "eagerness": "conservative"}]}
</script>"""
# Shows results without a change of the page's address.
KEEP_ADDRESS = "<script>history.pushState = () => {}</script>"
STORES = '<form action="/stores"><input type="search" placeholder="Search a store"></form>'
# What a page prints and sends that begins like verify's own messages, or like a batch.
NOISE = """<script>
const messages = ["hello", "5", '{"name": "other"}', '{"name": "event", "detail": {"eid": {}}}',
    '{"name": "error", "detail": {"message": {}}}', "[".repeat(100000),
    '{"name": "violation", "detail": {"other": 1}, "document": "1", "page": "/"}',
    '{"name": "suppressed", "detail": {"event": 1}, "document": "1", "page": "/"}',
    `{"name": "event", "detail": {"eid": "1", "event": "VIEW_PRODUCT", "items": [{"id": "A"}],
    "index": 1e999}, "document": "1", "page": "/"}`];
for (const message of messages) console.log(`neuralens-verify ${message}`);
for (const events of [[{ eid: "1" }], ["eid"], [{ eid: {}, event: 1, items: [{ id: 1 }] }]]) {
    fetch("/other?b=1", { method: "POST", body: JSON.stringify({ app: "other", events }) });
}
fetch("/other?b=2", { method: "POST", body: new Uint8Array([123, 255, 0]) });
</script>"""
# Replaces what the server has sent until a second copy of it has arrived.
LOADING = """<script>
const place = document.querySelector("main");
const items = place.innerHTML;
place.textContent = "Loading";
setTimeout(() => { place.innerHTML = items; }, 3000);
</script>"""
OLD_PAGE = """<!doctype html><title>Chairs</title><p>Chairs, as they were last year.</p>"""
# What keeps pages in a service worker, and serves them from then on.
KEEPER = f"""addEventListener("activate", (event) => event.waitUntil(clients.claim()));
const headers = {{ "Content-Type": "text/html" }};
addEventListener("fetch", (event) => event.request.mode === "navigate" &&
    event.respondWith(new Response({quoted(OLD_PAGE)}, {{ headers }})));
"""
NONCE = "bm9uY2UtMTIz"
NONCE_POLICY = f"script-src 'nonce-{NONCE}' 'strict-dynamic'; connect-src 'self'"
IS_POST = 'event.request.method === "POST"'
BASIC = {"WWW-Authenticate": 'Basic realm="relay"'}
OLD = bundles.read("neuralens.js").encode() + b"// an older build"
POLICY = "default-src 'self'; script-src {}; connect-src {}; img-src data:"

FAULTLESS = {
    "plain": Shop(),
    "uid of each visit": Shop(tag=lambda shop: tag(shop, uid=uuid4())),
    "policy": Shop(policy=POLICY.format("'self'", "'self'")),
    "policy that only reports": Shop(reported_policy=POLICY.format("'none'", "'none'")),
    "single-page": Shop(single_page=True),
    "redirect by script": Shop(tag=with_redirect),
    "cross-origin": Shop(tag=remote, relay=REMOTE),
    "own banner": Shop(tag=pending, banner="own"),
    "platform's banner": Shop(tag=pending, banner="platform"),
    "unversioned": Shop(tag=without_integrity),
    "settings in an object": Shop(tag=configured, banner="own"),
    "tag manager": Shop(tag=late),
    "Trusted Types": Shop(policy="require-trusted-types-for 'script'"),
    "banner named by its label": Shop(tag=pending, rewrite=with_banner(NAMED)),
    "banner in a shadow tree": Shop(tag=pending, rewrite=with_banner(SHADOW)),
    "newsletter that covers the page": Shop(
        rewrite=with_banner('<div style="position: fixed; inset: 0; z-index: 9">News?</div>')
    ),
    "banner in a closed shadow tree": Shop(tag=pending, rewrite=with_banner(CLOSED)),
    "banner in a declared shadow tree": Shop(tag=pending, rewrite=with_banner(DECLARED)),
    "question for the age on each page": Shop(rewrite=with_banner(AGE)),
    "page that asks for the age": Shop(gate=gate_of_age),
    "offer in a modal dialog": Shop(rewrite=with_banner(OFFER)),
    "wall of cookies": Shop(gate=wall),
    "stub that replaces what was there": Shop(tag=lambda shop: f"{OWN_STUB}{tag(shop)}"),
    "shop in a frame": Shop(gate=frame),
    "products at another shop": Shop(
        rewrite=in_page('href="/chairs/', 'target="_self" href="http://other.invalid/')
    ),
    "page in a fixed element": Shop(rewrite=in_fixed_element),
    "items that are loaded again": Shop(rewrite=with_banner(LOADING)),
    "advertisement with a rank": Shop(rewrite=from_one_after_an_ad),
    "messages and requests like verify's own": Shop(rewrite=with_banner(NOISE)),
    "no referrer": Shop(headers={"Referrer-Policy": "no-referrer"}),
    "Integrity-Policy": Shop(
        tag=lambda shop: tag(shop, crossorigin="anonymous"),
        headers={"Integrity-Policy": "blocked-destinations=(script)"},
        rewrite=in_page('<script src="/shop.js" defer></script>', ""),
    ),
    "banner in a frame": Shop(tag=pending, rewrite=with_banner(FRAME)),
    "Prototype.js": Shop(tag=lambda shop: f"{PROTOTYPE}{pending(shop)}", banner="platform"),
    "pages that are fetched before": Shop(rewrite=with_banner(SPECULATION)),
    "page that asks for the country": Shop(gate=countries),
    "search behind a button": Shop(rewrite=behind_button),
    "search for stores before that for products": Shop(rewrite=in_page("<form", f"{STORES}<form")),
    "tiles without links": Shop(rewrite=without_links),
    "results under the same address": Shop(single_page=True, rewrite=with_banner(KEEP_ADDRESS)),
    "products in new tabs": Shop(rewrite=in_page('href="/chairs/', f'{NEW_TAB} href="/chairs/')),
    "tag that waits for consent": Shop(tag=inert, banner="own", grants=False),
}
FAULTS = {
    "no tag": ("no-tag", Shop(tag=lambda shop: "")),
    "product's page that fails": (
        "page-fails",
        Shop(gate=lambda r: Response(status_code=500) if "/chairs/" in r.url.path else None),
    ),
    "sandbox": ("csp-sandbox", Shop(policy="sandbox allow-scripts allow-forms")),
    "page that reloads itself": ("page-reloads", Shop(rewrite=with_banner(RELOAD.format(200)))),
    "page that reloads itself every 2 seconds": (
        "page-reloads",
        Shop(rewrite=with_banner(RELOAD.format(2000))),
    ),
    "old page of a cache": ("old-cached-page", Shop(gate=old_page)),
    "old page of a service worker": (
        "old-cached-page",
        Shop(tag=with_own_answers, intercept=keeper),
    ),
    "Integrity-Policy": (
        "integrity-required",
        Shop(tag=without_integrity, headers={"Integrity-Policy": "blocked-destinations=(script)"}),
    ),
    "Integrity-Policy for requests with CORS": (
        "integrity-required",
        Shop(
            headers={"Integrity-Policy": "blocked-destinations=(script)"},
            rewrite=in_page('<script src="/shop.js" defer></script>', ""),
        ),
    ),
    "module that nobody starts": (
        "script-fails",
        Shop(tag=lambda shop: '<script type="module">import "/nl/neuralens.mjs"</script>'),
    ),
    "login form with the tag": ("no-items", Shop(gate=login_form)),
    "everything ignored": ("all-ignored", Shop(rewrite=in_page("<body", "<body data-nl-ignore"))),
    "requests replaced": (
        "requests-replaced",
        Shop(tag=lambda shop: f"{REPLACED}{tag(shop)}"),
    ),
    "e-mail address as uid": (
        "personal-data",
        Shop(tag=lambda shop: tag(shop, uid="anna@shop.example")),
    ),
    "one uid for all": (
        "shared-uid",
        Shop(tag=lambda shop: tag(shop, uid="AnonymousUser")),
    ),
    "page of another encoding": (
        "wrong-charset",
        Shop(
            identify=lambda product: f"stühle {product.position}",
            headers={"Content-Type": "text/html; charset=iso-8859-1"},
        ),
    ),
    "endpoint without its last part": (
        "wrong-endpoint",
        Shop(tag=lambda shop: tag(shop, endpoint="/nl")),
    ),
    "header of two servers": (
        "cross-site-cookies",
        Shop(tag=under_another_name, relay=REMOTE, alter=repeat_origin),
    ),
    "tag twice": ("tag-twice", Shop(tag=lambda shop: tag(shop) * 2)),
    "wrong app id": (
        "wrong-app-id",
        Shop(tag=lambda shop: tag(shop).replace("shop-app", "other-app")),
    ),
    "missing app id": (
        "missing-app-id",
        Shop(tag=lambda shop: tag(shop).replace("data-app-id", "data-appid")),
    ),
    "empty app id": (
        "missing-app-id",
        Shop(tag=lambda shop: tag(shop).replace('"shop-app"', Markup('""'))),
    ),
    "stale integrity": (
        "stale-integrity",
        Shop(tag=lambda shop: tag(shop, versioned=False).replace("sha384-", "sha384-AAAA")),
    ),
    "stale version": (
        "stale-integrity",
        Shop(tag=lambda shop: tag(shop).replace("?v=", "?v=AAAA")),
    ),
    "mistyped file name": (
        "wrong-script-address",
        Shop(tag=lambda shop: tag(shop).replace("neuralens.js", "neuralen.js")),
    ),
    "script in another folder": (
        "wrong-script-address",
        Shop(tag=lambda shop: tag(shop).replace("/nl/neuralens.js", "/static/neuralens.js")),
    ),
    "tag in a comment": ("tag-inert", Shop(tag=lambda shop: f"<!-- {tag(shop)} -->")),
    "script that is minified on the way": ("altered-script", Shop(alter=minify)),
    "script that is cut short": ("altered-script", Shop(alter=truncate)),
    "script without integrity that is cut short": (
        "altered-script",
        Shop(tag=without_integrity, alter=truncate),
    ),
    "script with a wrong encoding": ("altered-script", Shop(alter=mislabel)),
    "misspelled setting": (
        "unknown-setting",
        Shop(tag=lambda shop: tag(shop).replace("data-view-ms", "data-viewms")),
    ),
    "invalid setting": (
        "invalid-value",
        Shop(rewrite=in_page('data-view-ms="100"', 'data-view-ms="1s"')),
    ),
    "other app id on one page": (
        "wrong-app-id",
        Shop(rewrite=on_home('data-app-id="shop-app"', 'data-app-id="other-app"')),
    ),
    "settings in an object, and consent never granted": (
        "consent-never-granted",
        Shop(tag=configured, banner="own", grants=False),
    ),
    "firewall that reads batches": ("blocked-on-the-way", Shop(intercept=firewall)),
    "202 of another server": ("not-proxied", Shop(intercept=nobody_accepts)),
    "202 of another application": ("not-proxied", Shop(intercept=others_accept)),
    "redirect that browsers repeat": ("redirected", Shop(intercept=permanent_redirect)),
    "nonce missing on one page": (
        "csp-script-src",
        Shop(tag=lambda shop: tag(shop, nonce=NONCE), policy=NONCE_POLICY, rewrite=with_nonce),
    ),
    "attributes lost in hydration": ("attributes-removed", Shop(rewrite=render_again)),
    "misspelled action": (
        "invalid-value",
        Shop(rewrite=in_page("</h1>", '</h1><button data-nl-action="add_to_cart">Add</button>')),
    ),
    "action beside the landing": (
        "action-without-item",
        Shop(
            rewrite=in_page("</main>", '<button data-nl-action="add-to-cart">Add</button></main>')
        ),
    ),
    "landing on each tile": (
        "several-landings",
        Shop(rewrite=in_page("<li data-nl-product", "<li data-nl-landing")),
    ),
    "list as an order": (
        "unexpected-event",
        Shop(rewrite=in_page("<(ul|ol) data-nl-list", r'<\1 data-nl-purchase="1" data-nl-list')),
    ),
    "favorites that nobody has chosen": (
        "unexpected-event",
        Shop(rewrite=with_banner(f"<script>{FAVORITES}</script>")),
    ),
    "misspelled page": (
        "invalid-value",
        Shop(rewrite=in_page("SEARCH_RESULT_PAGE", "SEARCH_RESULTS_PAGE")),
    ),
    "one id for all": ("shared-id", Shop(identify=lambda product: "CH")),
    "price in place of the id": (
        "unrendered-id",
        Shop(
            identify=lambda product: f"{120 + product.position}.00",
            rewrite=in_page(r'(data-nl-product="([^"]*)"><h3>)', r"\1€ \2 "),
        ),
    ),
    "id escaped twice": (
        "unrendered-id",
        Shop(identify=lambda product: f"oak &amp; elm {product.position}"),
    ),
    "query of another search": (
        "results-without-query",
        Shop(rewrite=in_page('data-nl-query="[^"]*"', 'data-nl-query="table"')),
    ),
    "tag that never runs": ("tag-inert", Shop(tag=inert)),
    "tag in a string of HTML": (
        "tag-inert",
        Shop(tag=lambda shop: f"<script>document.head.innerHTML += {quoted(tag(shop))}</script>"),
    ),
    "script without CORS": ("script-without-cors", Shop(tag=remote_script)),
    "add-on not proxied": (
        "add-on-fails",
        Shop(tag=lambda shop: tag(shop, addons=["ga4"]), forward=script_and_events),
    ),
    "another path of the relay": (
        "wrong-endpoint",
        Shop(tag=lambda shop: tag(shop, endpoint="/nl/event")),
    ),
    "endpoint outside the prefix": (
        "wrong-endpoint",
        Shop(tag=lambda shop: tag(shop, endpoint="/events")),
    ),
    "page of the shop in place of the script": (
        "not-proxied",
        Shop(intercept=page_for_scripts),
    ),
    "page of the shop in place of an answer": ("not-proxied", Shop(intercept=page_for_events)),
    "proxy's limit of request bodies": ("blocked-on-the-way", Shop(intercept=too_large)),
    "login before everything": (
        "blocked-on-the-way",
        Shop(intercept=lambda request: Response(status_code=401)),
    ),
    "old script of a service worker": (
        "old-cached-script",
        Shop(tag=with_worker, intercept=worker),
    ),
    "service worker that answers events": (
        "blocked-on-the-way",
        Shop(tag=with_own_answers, intercept=answering(IS_POST, 'new Response("")')),
    ),
    "service worker that is offline for events": (
        "blocked-on-the-way",
        Shop(
            tag=with_own_answers,
            intercept=answering(IS_POST, 'new Response("", { status: 503 })'),
        ),
    ),
    "service worker whose requests with events fail": (
        "blocked-on-the-way",
        Shop(tag=with_own_answers, intercept=answering(IS_POST, "Response.error()")),
    ),
    "page of a service worker in place of the script": (
        "blocked-on-the-way",
        Shop(
            tag=with_own_answers,
            intercept=answering(
                'event.request.url.includes("/neuralens.js")',
                'new Response("<p>Shop</p>", { headers: { "Content-Type": "text/html" } })',
            ),
        ),
    ),
    "relay that asks for a password": (
        "blocked-on-the-way",
        Shop(intercept=lambda request: Response(status_code=401, headers=BASIC)),
    ),
    "two ids of two templates": (
        "attribute-twice",
        Shop(
            rewrite=in_page(
                r'<li data-nl-product="(.*?)"', r'<li data-nl-product="P-\1" data-nl-product="\1"'
            )
        ),
    ),
    "product in each product": (
        "nested-products",
        Shop(rewrite=in_page(r'(data-nl-product=".*?")><h3', r"\1><h3 \1")),
    ),
    "redirect": ("redirected", Shop(intercept=redirect)),
    "login": ("blocked-on-the-way", Shop(intercept=login)),
    "one of two servers without a relay": (
        "relay-unreliable",
        Shop(intercept=every_second()),
    ),
    "relay behind the proxy is down": ("relay-unreachable", Shop(intercept=gateway_error)),
    "CSP script-src": ("csp-script-src", Shop(policy=POLICY.format("'none'", "'self'"))),
    "CSP connect-src": (
        "csp-connect-src",
        Shop(policy=POLICY.format("'self'", "'none'")),
    ),
    "nothing proxied": ("not-proxied", Shop(forward=lambda path: None)),
    "page of an error in another encoding": (
        "not-proxied",
        Shop(intercept=lambda request: Response("Nicht verfügbar".encode("latin-1"), 404)),
    ),
    "endpoint not proxied": (
        "not-proxied",
        Shop(forward=lambda path: None if path.endswith("/events") else path),
    ),
    "prefix stripped": (
        "prefix-stripped",
        Shop(forward=lambda path: path.removeprefix("/nl")),
    ),
    "Host rewritten": ("host-rewritten", Shop(host="relay.internal")),
    "origin refused": ("origin-refused", Shop(tag=remote)),
    "cross-site without cookies": (
        "cross-site-cookies",
        Shop(tag=remote, relay={"allowed_origins": ("*",)}),
    ),
    "old cached script": ("old-cached-script", Shop(tag=without_integrity, cached=OLD)),
    "old script, new integrity": (
        "old-cached-script",
        Shop(tag=lambda shop: tag(shop, versioned=False), cached=OLD),
    ),
    "GPC": ("gpc", Shop(signal=True)),
    "consent never granted": (
        "consent-never-granted",
        Shop(tag=pending, banner="own", grants=False),
    ),
    "consent by another word": (
        "invalid-value",
        Shop(tag=pending, banner="own", grants=False, rewrite=with_banner(OTHER_WORD)),
    ),
    "SPA without context": (
        "spa-without-context",
        Shop(single_page=True, context=False, delay=1),
    ),
    "SPA with an old context": (
        "spa-without-context",
        Shop(
            tag=lambda shop: tag(shop, page="SEARCH_RESULT_PAGE", query="table"),
            single_page=True,
            context=False,
        ),
    ),
    "uid that is not rendered": (
        "unrendered-id",
        Shop(tag=lambda shop: tag(shop, uid="{{ user.id }}")),
    ),
    "hook that drops views of products": (
        "all-suppressed",
        Shop(rewrite=with_banner(f"<script>{DROP_VIEWS}</script>")),
    ),
    "ranks from one": (
        "ranks-start-late",
        Shop(rewrite=from_one),
    ),
    "results without a list": ("ranks-missing", Shop(rewrite=in_page(' data-nl-list="[^"]*"', ""))),
    "results without a page": (
        "results-without-page",
        Shop(rewrite=in_page(' data-nl-page="SEARCH_RESULT_PAGE"', "")),
    ),
    "results as a category": (
        "results-without-page",
        Shop(rewrite=in_page("SEARCH_RESULT_PAGE", "CATEGORY_PAGE")),
    ),
    "product's page without its id": (
        "no-landing",
        Shop(rewrite=in_page('data-nl-landing="[^"]*"', "")),
    ),
    "product's page with another id": (
        "ids-differ",
        Shop(rewrite=in_page('data-nl-landing="CH-', 'data-nl-landing="4711-')),
    ),
    "products that never count as seen": (
        "nothing-seen",
        Shop(rewrite=with_banner("<style>main { opacity: 0 }</style>")),
    ),
    "second tag of a tag manager": ("tag-twice", Shop(tag=lambda shop: f"{tag(shop)}{late(shop)}")),
    "id None": ("unrendered-id", Shop(identify=lambda product: str(None))),
    "id not rendered": ("unrendered-id", Shop(identify=lambda product: "{{ product.id }}")),
    "id localized": (
        "unrendered-id",
        Shop(identify=lambda product: f"{1234 + product.position:,}"),
    ),
    "ranks restart": ("ranks-restart", Shop(offset=False)),
    "id empty": ("unrendered-id", Shop(identify=lambda product: "")),
    "misspelled attribute": ("unknown-attribute", Shop(misspelled=True)),
    "clones": ("clones", Shop(clone=True)),
    "page without its token": (
        "rejected-events",
        Shop(tag=lambda shop: tag(shop, page_secret=""), relay={"page_secret": "s" * 32}),
    ),
    "wrong API address": (
        "wrong-api-address",
        Shop(relay={"api_url": "{api}/elsewhere"}),
    ),
    "nobody at the API's address": (
        "wrong-api-address",
        Shop(relay={"api_url": "http://127.0.0.1:9/analytics/event"}),
    ),
    "refused key": ("refused-key", Shop(relay={"api_key": "another"})),
    "dead events": ("dead-events", Shop(faults=[{"status": 422, "times": 99}])),
}
