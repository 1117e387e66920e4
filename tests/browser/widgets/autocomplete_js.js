import autoComplete from "@tarekraafat/autocomplete.js";
import { find, place } from "./source.js";

place('<input id="search" type="search">');
new autoComplete({
  selector: "#search",
  data: { src: async (query) => find(query), cache: false },
  resultItem: { highlight: true },
  events: { input: { selection: ({ detail }) => (search.value = detail.selection.value) } },
});
