// Beside the whole brython.js, on a page that runs Python itself: gives it the guard.
import { bind } from "./brython.js";

bind(globalThis.__BRYTHON__);
