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
  if (window.top !== window) return;
  const report = (name, detail) => window.neuralensVerify(JSON.stringify({ name, detail }));
  window.neuralensDocument = String(Math.random());
  const queue = [];
  const stub = (...call) => queue.push(call);
  stub.q = queue;
  window.neuralens = stub;
  for (const name of ["event", "suppressed", "error"]) {
    stub("on", name, (detail) => report(name, detail));
  }
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
