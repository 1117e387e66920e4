import "./jquery_global.js";
import select2 from "select2";
import { TEXTS, place } from "./source.js";

if (typeof select2 === "function") select2(window, $);
$(place("<select></select>").firstElementChild).select2({
  width: 300,
  minimumInputLength: 1,
  dropdownParent: $("[data-nl-suggestions]"),
  data: TEXTS,
});
