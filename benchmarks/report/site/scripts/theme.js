// The theme is set before the page is first painted, so that nothing flashes.
var commonweal = {};

(function (cw) {
  "use strict";

  const KEY = "commonweal-theme";

  function remembered() {
    try {
      return localStorage.getItem(KEY) || "system";
    } catch {
      return "system"; // a browser may refuse storage to pages from disk
    }
  }

  function apply(theme) {
    document.documentElement.dataset.theme = theme;
  }

  function choose(theme) {
    apply(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // it then holds for this page only
    }
  }

  apply(remembered());
  cw.theme = { choose, remembered };
})(commonweal);
