// Runs before the shop's own scripts: queues listeners as the inline stub does, and reports
// violations of the content security policy.
(() => {
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
    const message = JSON.stringify({ name, detail });
    if (reported.has(message)) return;
    reported.add(message);
    window.neuralensVerify(message);
  };
  window.neuralensDocument = String(Math.random());
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
