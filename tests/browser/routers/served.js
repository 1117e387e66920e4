import { PAGES } from "./pages.js";

globalThis.pages = PAGES;
