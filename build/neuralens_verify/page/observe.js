// Runs before the shop's own scripts: queues listeners as the inline stub does, and reports
// violations of the content security policy. What it sends goes through the console, with copies
// that inherit nothing: a page may replace either, and old libraries add toJSON to arrays.
(() => {
  const { debug } = console;
  const { stringify } = JSON;
  const { isArray } = Array;
  const { keys, setPrototypeOf } = Object;
  const bare = (value) => {
    if (typeof value !== "object" || value === null) return value;
    const copy = setPrototypeOf(isArray(value) ? [] : {}, null);
    for (const key of keys(value)) copy[key] = bare(value[key]);
    return copy;
  };
  window.neuralensDocument = String(Math.random());
  const send = (name, detail) => {
    const message = stringify(bare({ name, detail, document: window.neuralensDocument, page: location.href }));
    debug(`neuralens-verify ${message}`);
  };
  window.autoconsentSendMessage = (message) => send("autoconsent", message);
  // The banners of some consent platforms are in closed shadow trees.
  const closed = new WeakMap();
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function attachShadow(...options) {
    const root = attach.apply(this, options);
    closed.set(this, root);
    return root;
  };
  window.neuralensShadow = (element) => element.shadowRoot ?? closed.get(element);
  // Adds one that the page's HTML declares.
  window.neuralensShadow.add = (element, root) => closed.set(element, root);
  if (window.top !== window) return;
  const reported = new Set();
  const report = (name, detail) => {
    const key = stringify(bare(detail));
    if (!reported.has(key)) send(name, detail);
    reported.add(key);
  };
  const queue = [];
  const stub = (...call) => queue.push(call);
  stub.q = queue;
  window.neuralens = stub;
  // Also called once the tracker runs: the shop may have replaced this stub by its own.
  window.neuralensListen = () => {
    for (const name of ["event", "suppressed", "error"]) {
      window.neuralens("on", name, (detail) => report(name, detail));
    }
  };
  window.neuralensListen();
  document.addEventListener("securitypolicyviolation", (event) => {
    // A policy that only reports blocks nothing.
    if (event.disposition !== "enforce") return;
    report("violation", {
      directive: event.effectiveDirective,
      blocked: event.blockedURI,
      policy: event.originalPolicy,
      page: location.href,
    });
  });
})();
