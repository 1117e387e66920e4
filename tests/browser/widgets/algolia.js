import { autocomplete } from "@algolia/autocomplete-js";
import { find, place } from "./source.js";

autocomplete({
  container: place(),
  // Without its style sheet every screen is a small one, where the box opens in a dialog.
  detachedMediaQuery: "none",
  getSources: ({ query }) => [
    {
      sourceId: "texts",
      getItems: () => find(query).map((label) => ({ label })),
      getItemInputValue: ({ item }) => item.label,
      templates: { item: ({ item }) => item.label },
    },
  ],
});
