// Returns what stands on the page: tags, items and contexts, those in open shadow trees too.
(attributes) => {
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
  const read = elements.filter((element) => !closest(element, "[data-nl-ignore]"));
  const lists = [];
  const number = (list) => {
    if (!list) return "";
    if (!lists.includes(list)) lists.push(list);
    return String(lists.indexOf(list));
  };
  const items = [];
  for (const element of read) {
    for (const attribute of attributes) {
      if (!element.hasAttribute(attribute)) continue;
      const bought = element.parentElement && closest(element.parentElement, "[data-nl-purchase]");
      const list = bought ? null : closest(element, "[data-nl-list], [role=listbox]");
      items.push({
        attribute,
        value: element.getAttribute(attribute).trim(),
        listing: number(list),
        name: list?.getAttribute("data-nl-list") ?? "",
        hidden: Boolean(closest(element, "[aria-hidden=true]")) || !element.checkVisibility(),
      });
    }
  }
  return {
    document: window.neuralensDocument ?? "",
    version: window.neuralens?.version ?? null,
    gpc: navigator.globalPrivacyControl === true,
    tags: [...document.scripts].map(({ src, integrity, dataset }) => ({ src, integrity, settings: { ...dataset } })),
    items,
    queries: read.filter((element) => element.hasAttribute("data-nl-query")).map((element) => element.getAttribute("data-nl-query")),
  };
}
