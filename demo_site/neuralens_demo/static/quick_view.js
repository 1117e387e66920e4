// The quick view of a product, in a dialog.

const dialog = document.createElement("dialog");
dialog.className = "quick-view";
dialog.setAttribute("aria-labelledby", "quick-name");
document.body.append(dialog);
dialog.addEventListener("click", (event) => {
  // The content fills the dialog, so a click on the dialog itself is on the backdrop.
  if (event.target === dialog) dialog.close();
});

/** Show the product of a link; throws if the request fails. */
export async function showQuickView(link) {
  const response = await fetch(link.dataset.quick);
  if (!response.ok) throw new Error(`${link.dataset.quick} answered ${response.status}`);
  const close = document.createElement("button");
  close.className = "button quiet";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  const parts = new DOMParser().parseFromString(await response.text(), "text/html");
  dialog.replaceChildren(close, ...parts.body.children);
  dialog.showModal();
}
