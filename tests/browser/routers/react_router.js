import { createElement as h } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Route, Routes, useNavigate } from "react-router";
import { PAGES } from "./pages.js";

function Page({ path }) {
  const navigate = useNavigate();
  const follow = (event) => {
    const link = event.target.closest("a");
    if (link === null) return;
    event.preventDefault();
    navigate(link.getAttribute("href"));
  };
  return h("main", { key: path, onClick: follow, dangerouslySetInnerHTML: { __html: PAGES[path] } });
}

addEventListener("DOMContentLoaded", () => {
  const routes = Object.keys(PAGES).map((path) =>
    h(Route, { key: path, path, element: h(Page, { path, key: path }) }),
  );
  createRoot(document.body.appendChild(document.createElement("div"))).render(
    h(BrowserRouter, null, h(Routes, null, ...routes)),
  );
});
