import "./jquery_global.js";
import "jquery-ui/dist/jquery-ui.js";
import { find, place } from "./source.js";

const input = $(place('<input type="search">').firstElementChild);
const widget = input.autocomplete({ source: ({ term }, show) => show(find(term)), delay: 0 });
// Its items have no role; a template of the shop's own says what they are.
widget.autocomplete("instance")._renderItem = (list, item) =>
  $("<li>").append($("<div>").text(item.label)).attr("data-nl-suggestion", item.label).appendTo(list);
