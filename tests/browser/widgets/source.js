// What every widget of this folder finds: the texts that begin with what was typed.

export const TEXTS = ["oak chair", "oak table", "oak desk", "pine shelf"];

export function find(typed) {
  return typed === "" ? [] : TEXTS.filter((text) => text.startsWith(typed.toLowerCase()));
}

// The element that a widget is put into; it declares that suggestions come from in here.
export function place(html = "") {
  const holder = document.createElement("div");
  holder.dataset.nlSuggestions = "";
  holder.innerHTML = html;
  document.body.prepend(holder);
  return holder;
}
