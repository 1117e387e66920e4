import "./jquery_global.js";
import "corejs-typeahead/dist/typeahead.jquery.js";
import { find, place } from "./source.js";

$(place('<input type="text">').firstElementChild).typeahead(
  { hint: true, minLength: 1 },
  { name: "texts", source: (query, show) => show(find(query)) },
);
