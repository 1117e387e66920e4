// A carousel without an end: copies of its last slides stand before the first, and the other way
// round. They are hidden from assistive technology; a reader hears each slide once.

const COPIES = 4;

function copy(slide) {
  const copied = slide.cloneNode(true);
  copied.setAttribute("aria-hidden", "true");
  for (const part of copied.querySelectorAll("a, button")) part.tabIndex = -1;
  return copied;
}

/** Turn a list of slides into a carousel. */
export function attachCarousel(root) {
  const strip = root.querySelector("[data-carousel-slides]");
  const slides = [...strip.children];
  strip.prepend(...slides.slice(-COPIES).map(copy));
  strip.append(...slides.slice(0, COPIES).map(copy));
  const width = () => slides[1].offsetLeft - slides[0].offsetLeft;

  function jump(to) {
    strip.scrollTo({ left: to, behavior: "instant" });
  }

  /** Where only copies are in view, go to what they are copies of, which looks the same. */
  function wrap() {
    const whole = slides.length * width();
    const start = COPIES * width();
    if (strip.scrollLeft < start - 1) jump(strip.scrollLeft + whole);
    else if (strip.scrollLeft >= start + whole - 1) jump(strip.scrollLeft - whole);
  }

  jump(COPIES * width());
  strip.addEventListener("scrollend", wrap);
  for (const button of root.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => strip.scrollBy({ left: button.dataset.step * width(), behavior: "smooth" }));
  }
  root.querySelector("[data-carousel-steps]").hidden = false;
}
