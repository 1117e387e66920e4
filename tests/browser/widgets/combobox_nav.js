import Combobox from "@github/combobox-nav";
import { find, place } from "./source.js";

const holder = place('<input type="text"><ul id="found" role="listbox" hidden></ul>');
const [input, list] = holder.children;
const combobox = new Combobox(input, list);
input.addEventListener("input", () => {
  const texts = find(input.value);
  list.innerHTML = texts.map((text, n) => `<li role="option" id="o${n}">${text}</li>`).join("");
  list.hidden = texts.length === 0;
  if (list.hidden) combobox.stop();
  else combobox.start();
});
list.addEventListener("combobox-commit", (event) => {
  input.value = event.target.textContent;
  list.hidden = true;
  combobox.stop();
});
