// Scrolls through a virtualized list, and measures the time between frames.
async ({ code, settings, tiles, frames }) => {
  const COLUMNS = 4;
  const HEIGHT = 200;
  const list = document.querySelector("ul");
  const rows = Math.ceil(tiles / COLUMNS);
  const shown = Math.ceil(innerHeight / HEIGHT) + 2;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const idle = () => new Promise((done) => requestIdleCallback(done));
  list.style.blockSize = `${rows * HEIGHT}px`;
  const elements = Array.from({ length: shown * COLUMNS }, () => {
    const tile = document.createElement("li");
    tile.innerHTML = "<a href='/blank'><h2></h2></a><p>Oak, oiled <b></b></p>";
    list.append(tile);
    return tile;
  });

  /** Recycle the elements for the rows in the viewport. */
  function render() {
    const first = Math.min(Math.floor(scrollY / HEIGHT), rows - shown);
    for (let row = first; row < first + shown; row += 1) {
      for (let column = 0; column < COLUMNS; column += 1) {
        const tile = elements[(row % shown) * COLUMNS + column];
        const index = row * COLUMNS + column;
        if (tile.dataset.nlProduct === `P${index}`) continue;
        tile.dataset.nlProduct = `P${index}`;
        tile.setAttribute("aria-posinset", index + 1);
        tile.style.cssText = `top: ${row * HEIGHT}px; left: ${column * 25}%`;
        tile.querySelector("h2").textContent = `Chair ${index}`;
        tile.querySelector("b").textContent = 100 + (index % 900);
      }
    }
  }

  render();
  addEventListener("scroll", render);
  if (code) {
    const script = document.createElement("script");
    script.textContent = code;
    Object.assign(script.dataset, settings);
    document.head.append(script);
  }
  for (let wait = 0; wait < 20; wait += 1) await idle();

  const step = (rows * HEIGHT - innerHeight) / frames;
  const times = [];
  performance.mark("begin");
  let before = await frame();
  for (let count = 1; count <= frames; count += 1) {
    scrollTo(0, count * step);
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  performance.mark("end");
  let views = 0;
  if (code) {
    globalThis.neuralens("on", "event", () => (views += 1));
    const deadline = performance.now() + 20_000;
    while (views === 0 && performance.now() < deadline) await frame();
  }
  return { frames: times, views };
}
