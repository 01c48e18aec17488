// Shows what the address asks for.
(function (cw) {
  "use strict";

  const main = document.getElementById("main");
  const chooser = document.getElementById("theme");

  let run = null;
  let selection = null; // the table of episodes, once it is there
  let reader = null; // the transcript that is open
  let unfolded = []; // what was opened for print
  let asked = 0; // counts what was asked for: an answer that comes too late is dropped

  async function show() {
    cw.route.forget();
    const route = cw.route.parse(location.hash);
    asked += 1;
    const mine = asked;
    document.body.dataset.view = route.view;
    for (const link of document.querySelectorAll("nav a[data-view]")) {
      const isHere = link.dataset.view === (route.view === "transcript" ? "episodes" : route.view);
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (route.view === "transcript" && isOpen(route)) {
      reader.controls.pause();
      reader.goTo(route.frame);
      return;
    }
    try {
      const view = await make(route);
      if (mine === asked) put(view, route);
    } catch (error) {
      if (mine !== asked) return;
      put({ element: cw.elements.errorBox(error), close() {} }, route);
      if (!(error instanceof cw.data.DataError)) throw error;
    }
  }

  function isOpen(route) {
    const told = (filters, all) => JSON.stringify([filters, all]);
    return (
      reader &&
      reader.transcript &&
      reader.transcript.number === route.episode &&
      told(reader.filters, reader.all) === told(route.filters, route.all)
    );
  }

  async function make(route) {
    run = run || (await cw.data.load("run"));
    document.getElementById("run-title").replaceChildren(cw.words.visible(run.title));
    if (route.view === "overview") {
      // What the other views need is fetched while the overview is read.
      loadSelection().catch(() => {});
      return { element: cw.overview.render(run), close() {} };
    }
    if (route.view === "episodes") {
      return { element: cw.episodes.render(await loadSelection(), run, route), close() {} };
    }
    // A transcript can be read without the table of episodes: only its neighbours are unknown.
    return cw.transcript.open(route, run, await loadSelection().catch(() => null));
  }

  async function loadSelection() {
    if (!selection) {
      const index = await cw.data.load("episodes");
      selection = selection || new cw.Selection(index, run);
    }
    return selection;
  }

  function put(view, route) {
    const isFirst = reader === null;
    if (reader) reader.close();
    reader = view;
    const key = document.activeElement && document.activeElement.dataset.key;
    main.replaceChildren(view.element);
    document.title = title(route);
    if (route.section) return scrollTo(route.section);
    window.scrollTo(0, 0);
    const again = key && main.querySelector(`[data-key="${CSS.escape(key)}"]:not([disabled])`);
    if (again) again.focus({ preventScroll: true });
    else if (!isFirst) focusOn(main.querySelector("h1"));
    return undefined;
  }

  function scrollTo(index) {
    const heading = document.getElementById(`arena-title-${index}`);
    if (!heading) return;
    heading.scrollIntoView();
    heading.focus({ preventScroll: true });
  }

  function focusOn(heading) {
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  function title(route) {
    const name = run ? run.title : "Commonweal report";
    if (route.view === "transcript") return `Episode ${route.episode} – ${name}`;
    return route.view === "episodes" ? `Episodes – ${name}` : name;
  }

  document.addEventListener("keydown", (event) => {
    const isOurs = reader && reader.controls && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isOurs && !event.defaultPrevented && reader.controls.key(event)) event.preventDefault();
  });
  addEventListener("hashchange", show);
  addEventListener("pagehide", () => cw.route.settle());
  addEventListener("beforeprint", () => {
    if (reader && reader.beforePrint) reader.beforePrint();
    unfolded = [...main.querySelectorAll("details:not([open])")].filter(
      (one) => !one.closest(".acts")
    );
    for (const one of unfolded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of unfolded) one.open = false;
    if (reader && reader.afterPrint) reader.afterPrint();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address says where the reader is, and is not for this
    main.focus();
  });
  chooser.value = cw.theme.remembered();
  chooser.addEventListener("change", () => cw.theme.choose(chooser.value));
  show();
})(commonweal);
