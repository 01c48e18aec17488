// Where the reader is stands behind the "#" of the address, so that it can be linked to.
(function (cw) {
  "use strict";

  const FILTERS = ["arena", "policy", "contract", "status", "search", "sort", "order"];
  const WRITE_AFTER_MS = 250; // browsers refuse addresses that change a hundred times a second

  let pending = null;

  function parse(hash) {
    const told = new URLSearchParams(hash.replace(/^#/, ""));
    const filters = {};
    for (const key of FILTERS) if (told.get(key)) filters[key] = told.get(key);
    const route = { view: "overview", filters, page: whole(told.get("page")) || 0 };
    if (told.has("episode")) {
      route.view = "transcript";
      route.episode = whole(told.get("episode"));
      route.frame = whole(told.get("frame")) || 0;
      route.all = told.get("all") === "1";
    } else if (told.get("view") === "episodes" || Object.keys(filters).length) {
      route.view = "episodes";
    } else {
      route.section = told.get("section");
    }
    return route;
  }

  function whole(text) {
    return /^\d{1,9}$/.test(text || "") ? Number(text) : null;
  }

  function write(values) {
    const told = new URLSearchParams();
    for (const [key, value] of Object.entries(values)) {
      if (value !== null && value !== undefined && value !== "" && value !== false) {
        told.set(key, value === true ? "1" : String(value));
      }
    }
    return `#${told}`;
  }

  function episode(number, { frame = 0, filters = {}, all = false } = {}) {
    return write({ episode: number, frame: frame || null, all, ...filters });
  }

  function episodes(filters = {}, page = 0) {
    return write({ view: "episodes", ...filters, page: page || null });
  }

  function go(hash) {
    settle();
    location.hash = hash;
  }

  // Says where the reader is now, without a new entry in the browser's history.
  function restate(hash) {
    clearTimeout(pending && pending.timer);
    pending = { hash, timer: setTimeout(settle, WRITE_AFTER_MS) };
  }

  function settle() {
    if (!pending) return;
    clearTimeout(pending.timer);
    const { hash } = pending;
    pending = null;
    if (hash !== location.hash) history.replaceState(null, "", hash);
  }

  function forget() {
    if (pending) clearTimeout(pending.timer);
    pending = null;
  }

  cw.route = { parse, write, episode, episodes, go, restate, settle, forget };
})(commonweal);
