// Returns a selector of the link to page 2 of the open page, in any language: its address is that of
// the page, but for a page number of 2, as a parameter or at the end of the path.
() => {
  const parameter = /^(?!.*(?:per|size|count))(?:p|pn|pg|seite|sida|side|strana|strona|.*pag.*)$/i;
  const end = /^\/?(?:p|pg|seite|sida|side|strana|strona|pag\w*)?[/=_-]?2\/?$/i;
  const isSecond = ({ origin, pathname, search }) => {
    if (origin !== location.origin || !pathname.startsWith(location.pathname)) return false;
    if (pathname !== location.pathname) return end.test(pathname.slice(location.pathname.length));
    return [...new URLSearchParams(search)].some(([name, value]) => parameter.test(name) && value === "2");
  };
  const link = [...document.querySelectorAll("a[href]")].find((each) => isSecond(each) && each.checkVisibility());
  return link ? `a[href="${CSS.escape(link.getAttribute("href"))}"]` : "";
}
