// Waits in the page's own time, which on a slow machine passes later than the clock's: until the
// timers that the tracker sets in the next idle moment have run.
(milliseconds) => new Promise((done) => {
  const timeout = 2000;
  setTimeout(done, milliseconds + 3 * timeout);
  requestAnimationFrame(() => requestIdleCallback(() => {
    setTimeout(() => requestIdleCallback(done, { timeout }), milliseconds);
  }, { timeout }));
})
