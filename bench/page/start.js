// Runs a script in one element; returns the milliseconds of its evaluation and its callbacks.
async ({ code, settings, tiles, timeout }) => {
  const { clock } = globalThis;
  const until = async (condition, what) => {
    const deadline = performance.now() + timeout;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`no ${what} after ${timeout} ms`);
      await frame();
    }
  };
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const task = () => new Promise((done) => setTimeout(done));
  const script = document.createElement("script");
  script.textContent = code;
  Object.assign(script.dataset, settings);

  // In its own task, without the harness's.
  await task();
  clock.later = 0;
  performance.mark("begin");
  const begin = performance.now();
  document.head.append(script);
  const evaluated = performance.now() - begin;

  const { neuralens } = globalThis;
  let views = 0;
  neuralens?.("on", "event", () => (views += 1));
  await until(() => clock.idle === 0, `${tiles} tiles`);
  // Observers report their last targets with the next frame.
  await frame();
  await frame();
  const processed = evaluated + clock.later;
  await until(() => tiles === 0 || views > 0, "a view");
  performance.mark("end");
  await task();
  if (tiles === 0) return { evaluated, processed, ranked: 0, last: null };

  // Each click needs the tile's rank. Without consent, the event is suppressed immediately.
  let last = null;
  neuralens("consent", "denied");
  neuralens("on", "suppressed", ({ event }) => (last = event.index));
  const items = document.querySelectorAll("[data-nl-product]");
  const clicked = performance.now();
  for (const item of items) item.click();
  return { evaluated, processed, ranked: performance.now() - clicked, last };
}
