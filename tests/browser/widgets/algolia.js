import { autocomplete } from "@algolia/autocomplete-js";
import { find, place } from "./source.js";

autocomplete({
  container: place(),
  getSources: ({ query }) => [
    {
      sourceId: "texts",
      getItems: () => find(query).map((label) => ({ label })),
      getItemInputValue: ({ item }) => item.label,
      templates: { item: ({ item }) => item.label },
    },
  ],
});
