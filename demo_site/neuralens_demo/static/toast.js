// A short message at the bottom of the window, announced by screen readers.

const SHOWN_MS = 2600;
let hiding;

/** Show a message briefly. */
export function show(message) {
  const toast = document.querySelector("[data-toast]");
  toast.textContent = message;
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), SHOWN_MS);
}
