import { createApp, h } from "vue";
import { createRouter, createWebHistory, RouterView, useRouter } from "vue-router";
import { PAGES } from "./pages.js";

const routes = Object.keys(PAGES).map((path) => ({
  path,
  component: {
    setup() {
      const router = useRouter();
      const onClick = (event) => {
        const link = event.target.closest("a");
        if (link === null) return;
        event.preventDefault();
        router.push(link.getAttribute("href"));
      };
      return () => h("main", { key: path, onClick, innerHTML: PAGES[path] });
    },
  },
}));

addEventListener("DOMContentLoaded", () => {
  const router = createRouter({ history: createWebHistory(), routes });
  createApp(RouterView).use(router).mount(document.body.appendChild(document.createElement("div")));
});
