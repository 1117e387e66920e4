// Returns the page's tags, settings, items and queries, including those in open shadow trees.
([attributes, known, currency]) => {
  const elements = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      elements.push(element);
      if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  const closest = (element, selector) => {
    for (let root = element; root; root = root.getRootNode().host) {
      const found = root.closest(selector);
      if (found) return found;
    }
    return null;
  };
  const captured = elements.filter((element) => !closest(element, "[data-nl-ignore]"));
  const isItem = (element) => attributes.some((name) => element.hasAttribute(name));
  const lists = [];
  const identify = (list) => {
    if (!list) return "";
    if (!lists.includes(list)) lists.push(list);
    return String(lists.indexOf(list));
  };
  // Whether an item's text has its id next to a currency.
  const isPrice = (element, value) => {
    if (!/^\d[\d.,]*$/.test(value)) return false;
    const number = value.replaceAll(".", "\\.");
    const price = `${currency}\\s*${number}(?![.,]?\\d)|(?<!\\d[.,]?)${number}\\s*${currency}`;
    return new RegExp(price).test(element.textContent);
  };
  // How many elements like an item's tile come before that, next to it, without an item.
  const countBefore = (element, list) => {
    const holds = (node) => isItem(node) || node.querySelector(attributes.map((name) => `[${name}]`).join());
    const isAlone = (node) =>
      node && node !== list && attributes.every((name) => node.querySelectorAll(`[${name}]`).length < 2);
    let tile = element;
    while (isAlone(tile.parentElement)) tile = tile.parentElement;
    let count = 0;
    for (let node = tile.previousElementSibling; node; node = node.previousElementSibling) {
      if (node.localName === tile.localName && !holds(node) && node.checkVisibility()) count += 1;
    }
    return count;
  };
  const items = [];
  for (const element of captured) {
    for (const attribute of attributes) {
      if (!element.hasAttribute(attribute)) continue;
      const order = element.parentElement && closest(element.parentElement, "[data-nl-purchase]");
      const outer = element.parentElement && closest(element.parentElement, "[data-nl-product]");
      const list = order ? null : closest(element, "[data-nl-list], [role=listbox]");
      const value = element.getAttribute(attribute).trim();
      items.push({
        attribute,
        value,
        before: list && !lists.includes(list) ? countBefore(element, list) : 0,
        list_id: identify(list),
        index: element.getAttribute("data-nl-index")?.trim() ?? "",
        hidden: Boolean(closest(element, "[aria-hidden=true]")) || !element.checkVisibility(),
        link: (element.closest("a[href]") ?? element.querySelector("a[href]"))?.pathname ?? "",
        is_price: isPrice(element, value),
        outer: outer?.getAttribute("data-nl-product").trim() ?? "",
      });
    }
  }
  const readConfiguration = () => {
    try {
      const entries = Object.entries(window.neuralensConfig ?? {});
      return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
    } catch {
      // The tracker reports a configuration that it cannot read.
      return {};
    }
  };
  const readWorker = () => {
    try {
      return navigator.serviceWorker?.controller?.scriptURL ?? "";
    } catch {
      // A page in a sandbox may not ask.
      return "";
    }
  };
  return {
    document: window.neuralensDocument ?? "",
    version: window.neuralens?.version ?? null,
    gpc: navigator.globalPrivacyControl === true,
    worker: readWorker(),
    configuration: readConfiguration(),
    tags: [...document.scripts].map(({ src, integrity, type, crossOrigin, nonce, dataset }) => ({
      src,
      integrity,
      kind: type,
      cors: crossOrigin,
      nonce,
      settings: { ...dataset },
    })),
    items,
    replaced: Object.entries({ fetch, "navigator.sendBeacon": navigator.sendBeacon })
      .filter(([, value]) => !Function.prototype.toString.call(value).includes("[native code]"))
      .map(([name]) => name),
    ignored: elements.filter(isItem).length - captured.filter(isItem).length,
    present: attributes.filter((name) => elements.some((element) => element.hasAttribute(name))),
    queries: captured
      .filter((element) => element.hasAttribute("data-nl-query"))
      .map((element) => element.getAttribute("data-nl-query")),
    controls: captured
      .filter((element) => element.hasAttribute("data-nl-action"))
      .map((element) => ({
        action: element.getAttribute("data-nl-action").trim(),
        has_item: Boolean(closest(element, "[data-nl-product], [data-nl-landing]")),
      })),
    unknown: [...new Set(captured.flatMap((element) => element.getAttributeNames()))].filter(
      (name) => name.startsWith("data-nl-") && !known.includes(name),
    ),
  };
}
