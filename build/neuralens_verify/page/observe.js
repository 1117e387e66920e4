// Runs before anything of the shop's: queues listeners as the inline stub does, and tells of what a
// content security policy blocks.
(() => {
  if (window.top !== window) return;
  const tell = (name, detail) => window.neuralensVerify(JSON.stringify({ name, detail }));
  window.neuralensDocument = String(Math.random());
  const queue = [];
  const stub = (...call) => queue.push(call);
  stub.q = queue;
  window.neuralens = stub;
  for (const name of ["event", "suppressed", "error"]) stub("on", name, (detail) => tell(name, detail));
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
    tell("violation", { directive: effectiveDirective, blocked: blockedURI }),
  );
})();
