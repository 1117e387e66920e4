// Records, from before the page's first script, when the tracker is ready, the duration of long
// tasks, and the times of a click and of the beacon that it causes.
(() => {
  const notes = { ready: 0, longTasks: 0 };
  globalThis.notes = notes;

  let tracker;
  Object.defineProperty(globalThis, "neuralens", {
    configurable: true,
    get: () => tracker,
    set(value) {
      tracker = value;
      // A stub has no version. The microtask runs after the tracker's start has completed.
      if (value?.version) queueMicrotask(() => (notes.ready ||= performance.now()));
    },
  });

  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) notes.longTasks += duration;
  }).observe({ type: "longtask", buffered: true });

  // The click unloads the page, so the next page reads the times.
  const keep = (name, value) => (sessionStorage[name] ??= value);
  addEventListener("click", ({ timeStamp }) => keep("clicked", timeStamp), true);
  addEventListener("pagehide", ({ timeStamp }) => keep("left", timeStamp), true);
  const send = navigator.sendBeacon;
  navigator.sendBeacon = (...values) => {
    const sent = send.apply(navigator, values);
    if (sent && sessionStorage.clicked) keep("sent", performance.now());
    return sent;
  };
})();
