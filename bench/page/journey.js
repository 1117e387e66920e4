// Notes, from before the page's first script on, when the tracker is ready, the long tasks up to
// then and after, and the time from a click to the beacon that it causes.
(() => {
  const notes = { ready: 0, longTasks: 0 };
  globalThis.notes = notes;

  let tracker;
  Object.defineProperty(globalThis, "neuralens", {
    configurable: true,
    get: () => tracker,
    set(value) {
      tracker = value;
      // A stub has no version. What began the tracker goes on to the end before a microtask runs.
      if (value?.version) queueMicrotask(() => (notes.ready ||= performance.now()));
    },
  });

  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) notes.longTasks += duration;
  }).observe({ type: "longtask", buffered: true });

  // The page leaves with the click: the next one reads what became of it.
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
