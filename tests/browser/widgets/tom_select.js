import TomSelect from "tom-select";
import { find, place } from "./source.js";

new TomSelect(place("<input>").firstElementChild, {
  maxItems: 1,
  valueField: "id",
  labelField: "id",
  searchField: [],
  score: () => () => 1,
  shouldLoad: (query) => query.length > 0,
  loadThrottle: null,
  load(query, show) {
    this.clearOptions();
    show(find(query).map((id) => ({ id })));
  },
});
