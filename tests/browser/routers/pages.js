// The three pages of a small shop, as markup: results, and two products with recommendations.

const product = (id) => `<article data-nl-landing="${id}"><h1>${id}</h1></article>
<div data-nl-list="similar" data-nl-page="PRODUCT_PAGE"><p data-nl-product="X">X</p></div>`;

export const PAGES = {
  "/": `<div data-nl-list="results" data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="chair">
<p data-nl-product="A"><a href="/a">Chair A</a></p>
<p data-nl-product="B"><a href="/b">Chair B</a></p></div>`,
  "/b": product("B") + '<a href="/c">On to C</a>',
  "/c": product("C") + '<a href="/">To the results</a>',
};
