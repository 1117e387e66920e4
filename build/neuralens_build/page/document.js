// Members of the document that a named element may shadow, such as <img name="head">.
export const createElement = (name) => Document.prototype.createElement.call(document, name);
export const find = (selector) => Document.prototype.querySelector.call(document, selector);
export const property = (name) => Reflect.get(Document.prototype, name, document);

/** Whether a named element shadows a member: such elements are own properties of the document. */
export const isShadowed = () =>
  Object.getOwnPropertyNames(document).some((name) => name !== "location" && name in Document.prototype);

/** Return the tag with the settings: the script's own, or if it has none, another one of the page. */
export function settingsTag(own) {
  return own?.dataset.appId === undefined ? find("script[data-app-id]") : own;
}
