import { Combobox, ComboboxInput, ComboboxOption, ComboboxOptions } from "@headlessui/react";
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { find, place } from "./source.js";

function Search() {
  const [chosen, choose] = useState("");
  const [typed, type] = useState("");
  return h(
    Combobox,
    { value: chosen, onChange: choose },
    h(ComboboxInput, { onChange: (event) => type(event.target.value) }),
    h(
      ComboboxOptions,
      { anchor: "bottom", portal: true },
      find(typed).map((text) => h(ComboboxOption, { key: text, value: text }, text)),
    ),
  );
}

createRoot(place()).render(h(Search));
