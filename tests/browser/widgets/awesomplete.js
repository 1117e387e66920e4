import "awesomplete";
import { find, place } from "./source.js";

const input = place("<input>").firstElementChild;
const widget = new Awesomplete(input, { minChars: 1, sort: false });
input.addEventListener("input", () => {
  widget.list = find(input.value);
});
