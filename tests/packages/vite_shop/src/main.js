import { start } from "neuralens-tracker";
import { chairs, search } from "./catalog.js";

start({ appId: "chairs", viewMs: 150 });

const main = document.querySelector("main");

function results(query) {
  const tiles = search(query).map(
    (chair) => `<li data-nl-product="${chair.id}"><a href="/p/${chair.id}">${chair.name}</a></li>`,
  );
  return `<h1>${tiles.length} chairs</h1>
    <ol data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="${query}" data-nl-list="results">
      ${tiles.join("")}
    </ol>`;
}

function product(id) {
  return `<article data-nl-landing="${id}">
      <h1>${chairs.find((chair) => chair.id === id).name}</h1>
      <button data-nl-action="add-to-cart">Add to cart</button>
    </article>`;
}

function show() {
  const { pathname, searchParams } = new URL(location.href);
  const id = pathname.match(/^\/p\/(\w+)$/)?.[1];
  main.innerHTML = id ? product(id) : results(searchParams.get("q") ?? "chair");
}

function go(address) {
  history.pushState(null, "", address);
  show();
}

document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  go(`/search?q=${encodeURIComponent(new FormData(event.target).get("q"))}`);
});
main.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link) {
    event.preventDefault();
    go(link.href);
  }
});
addEventListener("popstate", show);
show();
