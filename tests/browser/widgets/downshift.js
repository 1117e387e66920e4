import { useCombobox } from "downshift";
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { find, place } from "./source.js";

function Search() {
  const [items, setItems] = useState([]);
  const box = useCombobox({
    items,
    onInputValueChange: ({ inputValue }) => setItems(find(inputValue)),
  });
  return h(
    "div",
    null,
    h("label", box.getLabelProps(), "Search"),
    h("input", box.getInputProps()),
    h(
      "ul",
      box.getMenuProps(),
      box.isOpen &&
        items.map((item, index) => h("li", { key: item, ...box.getItemProps({ item, index }) }, item)),
    ),
  );
}

createRoot(place()).render(h(Search));
