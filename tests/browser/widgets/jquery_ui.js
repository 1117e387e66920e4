import "./jquery_global.js";
import "jquery-ui/dist/jquery-ui.js";
import { find, place } from "./source.js";

const input = $(place('<input type="search">').firstElementChild);
const widget = input.autocomplete({ source: ({ term }, show) => show(find(term)), delay: 0 });
// Neither list nor items have a role; the shop says what they are.
widget.autocomplete("widget").attr("data-nl-list", "suggestions");
widget.autocomplete("instance")._renderItem = (list, item) =>
  $("<li>").append($("<div>").text(item.label)).attr("data-nl-suggestion", item.label).appendTo(list);
