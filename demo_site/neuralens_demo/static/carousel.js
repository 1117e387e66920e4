// An endless carousel: clones of the last slides precede the first one, and clones of the first
// slides follow the last one. Clones are hidden from assistive technology.

const CLONES = 4;

function clone(slide) {
  const cloned = slide.cloneNode(true);
  cloned.setAttribute("aria-hidden", "true");
  for (const control of cloned.querySelectorAll("a, button")) control.tabIndex = -1;
  return cloned;
}

/** Make a carousel of a list of slides. */
export function attachCarousel(root) {
  const strip = root.querySelector("[data-carousel-slides]");
  const slides = [...strip.children];
  strip.prepend(...slides.slice(-CLONES).map(clone));
  strip.append(...slides.slice(0, CLONES).map(clone));
  const width = () => slides[1].offsetLeft - slides[0].offsetLeft;

  function jump(to) {
    strip.scrollTo({ left: to, behavior: "instant" });
  }

  /** If only clones are in view, jump to their originals, which look the same. */
  function wrap() {
    const length = slides.length * width();
    const start = CLONES * width();
    if (strip.scrollLeft < start - 1) jump(strip.scrollLeft + length);
    else if (strip.scrollLeft >= start + length - 1) jump(strip.scrollLeft - length);
  }

  jump(CLONES * width());
  strip.addEventListener("scrollend", wrap);
  for (const button of root.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => strip.scrollBy({ left: button.dataset.step * width(), behavior: "smooth" }));
  }
  root.querySelector("[data-carousel-steps]").hidden = false;
}
