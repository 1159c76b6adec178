// What `see/javascript/module.py` writes for a page: the operations of its recording, by name.
import type { Operations } from "./engine.js";
export const operations: Operations;
