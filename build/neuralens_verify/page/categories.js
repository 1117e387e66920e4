// Returns selectors of links within the shop, first those of its navigation, without those to
// what a visitor does besides shopping.
() => {
  const other = /account|log-?in|sign|cart|basket|checkout|wish|about|contact|privacy|terms|legal|imprint|help|faq|blog|news|career|store-?locator/i;
  const isOther = ({ origin, pathname, search, target }) =>
    origin !== location.origin || target || other.test(pathname) ||
    ["/", location.pathname + location.search].includes(pathname + search);
  const links = ["nav a[href], header a[href]", "a[href]"].flatMap((each) => [...document.querySelectorAll(each)]);
  const inside = links.filter((link) => !isOther(link) && link.checkVisibility());
  const addresses = [...new Set(inside.map((link) => link.getAttribute("href")))];
  return addresses.slice(0, 2).map((address) => `a[href="${CSS.escape(address)}"]`);
}
