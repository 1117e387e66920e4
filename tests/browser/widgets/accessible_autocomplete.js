import accessibleAutocomplete from "accessible-autocomplete";
import { find, place } from "./source.js";

accessibleAutocomplete({
  element: place(),
  id: "search",
  source: (query, show) => show(find(query)),
});
