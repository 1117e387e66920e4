// The search box: an editable combobox with a list, filled by the server.
// Pattern: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ (ARIA 1.2).

const TYPING_MS = 120;

/** Attach to a form with the input, the listbox and a status line. */
export function attachCombobox(form) {
  const input = form.querySelector('[role="combobox"]');
  const listbox = form.querySelector('[role="listbox"]');
  const status = form.querySelector("[data-combobox-status]");
  let waiting;
  let request;
  let active = -1;

  const options = () => [...listbox.querySelectorAll('[role="option"]')];

  function activate(index) {
    const all = options();
    all[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = all[active];
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    } else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    clearTimeout(waiting);
    request?.abort();
    activate(-1);
    listbox.hidden = true;
    input.setAttribute("aria-expanded", "false");
  }

  function open() {
    const count = options().length;
    if (count === 0) {
      close();
      return;
    }
    listbox.hidden = false;
    input.setAttribute("aria-expanded", "true");
    status.textContent = `${count} suggestions`;
  }

  async function fill() {
    request?.abort();
    const text = input.value.trim();
    if (text === "") {
      close();
      listbox.replaceChildren();
      return;
    }
    request = new AbortController();
    try {
      const response = await fetch(`/suggest?q=${encodeURIComponent(text)}`, { signal: request.signal });
      if (!response.ok) throw new Error(`suggestions answered ${response.status}`);
      const parts = new DOMParser().parseFromString(await response.text(), "text/html");
      activate(-1);
      listbox.replaceChildren(...parts.body.children);
      open();
    } catch (error) {
      // The request was superseded, or it failed; search works without suggestions.
      if (error.name !== "AbortError") close();
    }
  }

  function step(by) {
    const count = options().length;
    if (listbox.hidden) {
      open();
      if (listbox.hidden) return;
      activate(by > 0 ? 0 : count - 1);
      return;
    }
    // The input itself is one more position, -1.
    activate(((active + 1 + by + count + 1) % (count + 1)) - 1);
  }

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(fill, TYPING_MS);
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(-1);
    else if (event.key === "Enter" && active >= 0) options()[active].click();
    else if (event.key === "Escape" && !listbox.hidden) close();
    else return;
    event.preventDefault();
  });

  // Keep the focus in the input, so that the list stays open.
  listbox.addEventListener("mousedown", (event) => event.preventDefault());
  input.addEventListener("blur", close);
  input.addEventListener("focus", () => {
    if (input.value.trim() !== "" && listbox.hidden && options().length > 0) open();
  });
  form.addEventListener("submit", (event) => {
    if (input.value.trim() === "") event.preventDefault();
  });
}
