// Times what the page is made to do from now on: every callback that a script hands to the
// browser, other than those of events, and how many elements were seen by an observer.
(() => {
  const clock = { later: 0, noticed: 0 };
  globalThis.clock = clock;

  function timed(callback) {
    return function run(...values) {
      const begin = performance.now();
      try {
        return callback.apply(this, values);
      } finally {
        clock.later += performance.now() - begin;
      }
    };
  }

  for (const name of ["requestIdleCallback", "setTimeout", "queueMicrotask"]) {
    const original = globalThis[name];
    globalThis[name] = (callback, ...rest) => original.call(globalThis, timed(callback), ...rest);
  }
  for (const name of ["MutationObserver", "PerformanceObserver", "IntersectionObserver"]) {
    globalThis[name] = class extends globalThis[name] {
      constructor(callback, ...rest) {
        const run = timed(callback);
        super((entries, observer) => {
          run(entries, observer);
          if (name === "IntersectionObserver") clock.noticed += entries.length;
        }, ...rest);
      }
    };
  }
})();
