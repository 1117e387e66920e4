// Reports the sources of events' rank and query to the inspector; the API does not receive them.

/** Report each event's sources by beacon, also while the page is unloading. */
export function reportSources() {
  // Queue calls as the inline stub does, because the tracker may not have loaded yet.
  window.neuralens ??= Object.assign((...call) => window.neuralens.q.push(call), { q: [] });
  window.neuralens("on", "event", (event) => {
    navigator.sendBeacon("/inspector/sources", JSON.stringify(event));
  });
}
