// Measures the total time of all callbacks except event listeners, in ``later``; ``idle`` is the
// number of pending idle callbacks.
(() => {
  const clock = { later: 0, idle: 0 };
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

  const { requestIdleCallback } = globalThis;
  globalThis.requestIdleCallback = (callback, ...rest) => {
    clock.idle += 1;
    const run = timed(callback);
    return requestIdleCallback((deadline) => {
      run(deadline);
      clock.idle -= 1;
    }, ...rest);
  };
  for (const name of ["setTimeout", "queueMicrotask"]) {
    const original = globalThis[name];
    globalThis[name] = (callback, ...rest) => original.call(globalThis, timed(callback), ...rest);
  }
  for (const name of ["MutationObserver", "PerformanceObserver", "IntersectionObserver"]) {
    globalThis[name] = class extends globalThis[name] {
      constructor(callback, ...rest) {
        super(timed(callback), ...rest);
      }
    };
  }
})();
