// Returns the page's tags, items and queries, including those in open shadow trees.
([attributes, known]) => {
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
  const lists = [];
  const identify = (list) => {
    if (!list) return "";
    if (!lists.includes(list)) lists.push(list);
    return String(lists.indexOf(list));
  };
  const items = [];
  for (const element of captured) {
    for (const attribute of attributes) {
      if (!element.hasAttribute(attribute)) continue;
      const order = element.parentElement && closest(element.parentElement, "[data-nl-purchase]");
      const list = order ? null : closest(element, "[data-nl-list], [role=listbox]");
      items.push({
        attribute,
        value: element.getAttribute(attribute).trim(),
        list_id: identify(list),
        index: element.getAttribute("data-nl-index")?.trim() ?? "",
        hidden: Boolean(closest(element, "[aria-hidden=true]")) || !element.checkVisibility(),
      });
    }
  }
  return {
    document: window.neuralensDocument ?? "",
    version: window.neuralens?.version ?? null,
    gpc: navigator.globalPrivacyControl === true,
    tags: [...document.scripts].map(({ src, integrity, type, crossOrigin, dataset }) => ({
      src,
      integrity,
      kind: type,
      cors: crossOrigin,
      settings: { ...dataset },
    })),
    items,
    queries: captured
      .filter((element) => element.hasAttribute("data-nl-query"))
      .map((element) => element.getAttribute("data-nl-query")),
    unknown: [...new Set(captured.flatMap((element) => element.getAttributeNames()))].filter(
      (name) => name.startsWith("data-nl-") && !known.includes(name),
    ),
  };
}
