// Members of the document that an element's name may shadow, such as <img name="head">.
export const createElement = (name) => Document.prototype.createElement.call(document, name);
export const find = (selector) => Document.prototype.querySelector.call(document, selector);
export const property = (name) => Reflect.get(Document.prototype, name, document);

/** Whether an element's name shadows one: such elements are the document's own properties. */
export const isShadowed = () =>
  Object.getOwnPropertyNames(document).some((name) => name !== "location" && name in Document.prototype);

/** The tag that carries the settings: the script's own, or, for a script added without, that of the page. */
export function settingsTag(own) {
  return own?.dataset.appId === undefined ? find("script[data-app-id]") : own;
}
