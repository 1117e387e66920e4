// The shop's own script: progressive enhancement that avoids page loads.

import { attachCarousel } from "./carousel.js";
import { attachCombobox } from "./combobox.js";
import { showQuickView } from "./quick_view.js";
import { reportSources } from "./sources.js";
import { show } from "./toast.js";

/** Post a form and return the JSON response. Throws if the server refuses. */
async function post(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${form.action} answered ${response.status}`);
  return response.json();
}

/** Submit a form by fetch and pass the response to `done`; after a failure, submit it normally. */
function enhance(form, event, done) {
  event.preventDefault();
  post(form, event.submitter).then(done, () => form.submit());
}

function showCount(count) {
  const badge = document.querySelector("[data-cart-count]");
  badge.textContent = count;
  badge.hidden = count === 0;
  document.querySelector("[data-cart-link]").setAttribute("aria-label", `Cart, ${count} pieces`);
}

function addToCart(form, event) {
  enhance(form, event, ({ count, name }) => {
    showCount(count);
    show(`${name} was added to the cart`);
  });
}

function toggleFavorite(form, event) {
  enhance(form, event, ({ on }) => {
    form.querySelector("button").setAttribute("aria-pressed", String(on));
    form.elements.on.value = String(!on);
    show(on ? "Added to your favorites" : "Removed from your favorites");
  });
}

function chooseConsent(form, event) {
  const banner = form.closest("[data-consent-banner]");
  if (!banner) return;
  enhance(form, event, ({ choice }) => {
    // If the tracker has not loaded yet, it will read the attribute of its tag.
    if (window.neuralens && !window.neuralens.q) window.neuralens("consent", choice);
    else document.querySelector("script[data-app-id]").dataset.consent = choice;
    banner.remove();
    document.querySelector("main").focus();
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-add]")) addToCart(form, event);
  else if (form.matches("[data-favorite]")) toggleFavorite(form, event);
  else if (form.matches("[data-consent-banner] form")) chooseConsent(form, event);
});

async function share(link) {
  const card = { title: link.dataset.share, url: location.href };
  try {
    if (navigator.share) await navigator.share(card);
    else {
      await navigator.clipboard.writeText(card.url);
      show("The link was copied"
);
    }
  } catch (error) {
    if (error.name !== "AbortError") show(card.url);
  }
}

async function showMore(link) {
  const paragraph = link.closest("[data-more]");
  const response = await fetch(link.dataset.fragment);
  if (!response.ok) {
    location.assign(link.href);
    return;
  }
  const parts = new DOMParser().parseFromString(await response.text(), "text/html");
  const tiles = [...parts.querySelectorAll(".tile")];
  document.querySelector("[data-more-target]").append(...tiles);
  const next = parts.querySelector("[data-more]");
  if (next) paragraph.replaceWith(next);
  else paragraph.remove();
  tiles[0]?.querySelector("a").focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("[data-share], [data-fragment], [data-quick]");
  if (!link) return;
  event.preventDefault();
  if (link.matches("[data-share]")) share(link);
  else if (link.matches("[data-quick]")) showQuickView(link).catch(() => location.assign(link.href));
  else showMore(link).catch(() => location.assign(link.href));
});

for (const carousel of document.querySelectorAll("[data-carousel]")) attachCarousel(carousel);
reportSources();
for (const form of document.querySelectorAll("[data-combobox]")) attachCombobox(form);
