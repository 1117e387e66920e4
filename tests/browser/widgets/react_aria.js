import { ComboBox, Input, ListBox, ListBoxItem, Popover } from "react-aria-components";
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { find, place } from "./source.js";

function Search() {
  const [typed, type] = useState("");
  return h(
    ComboBox,
    { "aria-label": "Search", inputValue: typed, onInputChange: type, allowsCustomValue: true,
      items: find(typed).map((id) => ({ id })) },
    h(Input),
    h(Popover, null, h(ListBox, null, (item) => h(ListBoxItem, { textValue: item.id }, item.id))),
  );
}

createRoot(place()).render(h(Search));
