import { Activity, createElement as h, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { PAGES } from "./pages.js";

// Keeps the pages that were left, hidden, as Next.js does.
function Shop() {
  const [path, show] = useState(location.pathname);
  const [kept, keep] = useState([path]);
  useEffect(() => {
    const go = (to) => {
      keep((paths) => (paths.includes(to) ? paths : [...paths, to]));
      show(to);
    };
    addEventListener("popstate", () => go(location.pathname));
    addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (link === null) return;
      event.preventDefault();
      history.pushState(null, "", link.href);
      go(location.pathname);
    });
  }, []);
  return kept.map((each) =>
    h(
      Activity,
      { key: each, mode: each === path ? "visible" : "hidden" },
      h("main", { dangerouslySetInnerHTML: { __html: PAGES[each] } }),
    ),
  );
}

addEventListener("DOMContentLoaded", () => {
  createRoot(document.body.appendChild(document.createElement("div"))).render(h(Shop));
});
