import { autocomplete } from "@algolia/autocomplete-js";
import { find, place } from "./source.js";

// The shop's own attributes, in the template of a suggestion.
const container = place();
delete container.dataset.nlSuggestions;
autocomplete({
  container,
  detachedMediaQuery: "none",
  getSources: ({ query }) => [
    {
      sourceId: "texts",
      getItems: () => find(query).map((label) => ({ label })),
      getItemInputValue: ({ item }) => item.label,
      templates: {
        item: ({ item, html }) =>
          html`<b data-nl-suggestion="${item.label}">${item.label}</b>`,
      },
    },
  ],
});
