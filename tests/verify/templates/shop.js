// The shop's own script: suggestions by keyboard, the consent banner, and client-side routes.
const box = document.querySelector("[role=combobox]");
const list = document.getElementById("options");
let active = -1;

box.addEventListener("input", async () => {
  const texts = await (await fetch(`/suggest?q=${encodeURIComponent(box.value)}`)).json();
  list.replaceChildren(
    ...texts.map((text, position) => {
      const option = document.createElement("li");
      option.id = `option-${position}`;
      option.role = "option";
      option.dataset.nlSuggestion = text;
      option.textContent = text;
      return option;
    }),
  );
  list.hidden = false;
  active = -1;
});

box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && list.children.length > 0) {
    active = Math.min(active + 1, list.children.length - 1);
    box.setAttribute("aria-activedescendant", `option-${active}`);
    [...list.children].forEach((option, position) => option.setAttribute("aria-selected", String(position === active)));
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (active >= 0) box.value = list.children[active].dataset.nlSuggestion;
    list.hidden = true;
    box.removeAttribute("aria-activedescendant");
    show(`/search?q=${encodeURIComponent(box.value)}`);
  }
});

async function show(path) {
  if (!("singlePage" in document.body.dataset)) {
    location.href = path;
    return;
  }
  history.pushState(null, "", path);
  const text = await (await fetch(path)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  document.querySelector("main").replaceWith(page.querySelector("main"));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("main a");
  if (!link) return;
  event.preventDefault();
  show(link.getAttribute("href"));
});

// As consent platforms do with tags that must not run before.
function runTags() {
  for (const tag of document.querySelectorAll("script[type='text/plain']")) {
    const running = document.createElement("script");
    for (const { name, value } of tag.attributes) if (name !== "type") running.setAttribute(name, value);
    tag.replaceWith(running);
  }
}

const banner = document.querySelector("[data-banner]");
const said = localStorage.getItem("consent");
if (banner && said) banner.remove();
if (said === "granted") runTags();
if (banner && said && banner.dataset.grants) neuralens("consent", said);
banner?.addEventListener("click", (event) => {
  const { answer } = event.target.dataset;
  if (!answer) return;
  localStorage.setItem("consent", answer);
  banner.remove();
  if (answer === "granted") runTags();
  if (banner.dataset.grants) neuralens("consent", answer);
});
