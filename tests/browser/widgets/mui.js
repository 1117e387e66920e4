import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { find, place } from "./source.js";

function Search() {
  const [typed, type] = useState("");
  return h(Autocomplete, {
    freeSolo: true,
    options: find(typed),
    filterOptions: (options) => options,
    inputValue: typed,
    onInputChange: (_, value) => type(value),
    renderInput: (props) => h(TextField, props),
  });
}

createRoot(place()).render(h(Search));
