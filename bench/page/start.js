// Runs a script in one element and says how long it and its callbacks took, in milliseconds.
async ({ code, settings, tiles, patience }) => {
  const { clock } = globalThis;
  const until = async (condition, what) => {
    const deadline = performance.now() + patience;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`still without ${what} after ${patience} ms`);
      await frame();
    }
  };
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const task = () => new Promise((done) => setTimeout(done));
  const script = document.createElement("script");
  script.textContent = code;
  Object.assign(script.dataset, settings);

  // In a task of its own, without the harness that has brought the code here.
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
  // Observers tell of what they were given last with the next frame.
  await frame();
  await frame();
  const taken = evaluated + clock.later;
  await until(() => tiles === 0 || views > 0, "a view");
  performance.mark("end");
  await task();
  if (tiles === 0) return { evaluated, taken, ranked: 0, last: null };

  // Each click asks for the tile's rank. Without consent, the event ends where it was made.
  let last = null;
  neuralens("consent", "denied");
  neuralens("on", "suppressed", ({ event }) => (last = event.index));
  const items = document.querySelectorAll("[data-nl-product]");
  const clicked = performance.now();
  for (const item of items) item.click();
  return { evaluated, taken, ranked: performance.now() - clicked, last };
}
