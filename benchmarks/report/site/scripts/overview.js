// What was run and what came of it.
(function (cw) {
  "use strict";

  const { h, facts, folded } = cw.elements;
  const { name, count, duration, visible } = cw.words;

  const WHISKERS =
    "A dot and its line show where they lie between the column's lowest and highest.";
  const MANY_ROWS = 16; // a longer comparison is folded

  function render(run) {
    const several = run.arenas.length > 1;
    return h(
      "div",
      { class: "overview" },
      h(
        "header",
        { class: "lead" },
        h("h1", null, visible(run.title)),
        paragraph(run.description),
        standing(run)
      ),
      facts(
        [
          ["Suite", run.suite],
          ["Seed", run.seed],
          ["Episodes", h("a", { href: cw.route.episodes() }, count(run.num_episodes))],
          ["Begun", run.started_at && time(run.started_at)],
          ["Took", duration(run.seconds)],
          ["Status", run.status],
        ],
        { class: "facts" }
      ),
      made(run),
      several && contents(run.arenas),
      run.arenas.map((arena, index) => section(arena, index, several, run))
    );
  }

  function paragraph(text) {
    return text ? h("p", { class: "description" }, visible(text)) : null;
  }

  function standing(run) {
    if (run.status === "complete") return null;
    const what =
      { running: "was still under way", killed: "had been broken off" }[run.status] ||
      "had been stopped";
    return h(
      "p",
      { class: "note" },
      `This run ${what} when the report was written: it tells of the episodes that were over by then.`
    );
  }

  function time(text) {
    const moment = new Date(text);
    if (Number.isNaN(moment.getTime())) return text;
    return h(
      "time",
      { datetime: text },
      moment.toISOString().slice(0, 16).replace("T", " "),
      " UTC"
    );
  }

  function made(run) {
    const versions = Object.entries(run.versions || {});
    return folded(
      "How it was made: command and versions",
      false,
      run.command ? h("pre", { class: "command" }, h("code", null, visible(run.command))) : null,
      versions.length ? facts(versions, { class: "facts small" }) : null
    );
  }

  function contents(arenas) {
    return h(
      "nav",
      { class: "contents", "aria-label": "Arenas" },
      h("h2", null, "Arenas"),
      h(
        "ul",
        null,
        arenas.map((arena, index) =>
          h(
            "li",
            null,
            h("a", { href: `#view=overview&section=${index}` }, visible(arena.title || arena.name))
          )
        )
      )
    );
  }

  function section(arena, index, several, run) {
    const isSaidAbove = !several && (run.description || "").startsWith(arena.description || "");
    return h(
      "section",
      { class: "arena", id: `arena-${index}`, "aria-labelledby": `arena-title-${index}` },
      h("h2", { id: `arena-title-${index}`, tabindex: "-1" }, visible(arena.title || arena.name)),
      isSaidAbove ? null : paragraph(arena.description),
      conditions(arena),
      cw.tables.summary(arena.table, {
        caption: `${arena.title || arena.name}: means and their intervals. ${WHISKERS}`,
        linkOf: linker(arena, several),
      }),
      sensitivity(arena, several),
      comparisons(arena.comparisons || []),
      figures(arena.figures || [])
    );
  }

  function linker(arena, several) {
    return (policy, contract) =>
      cw.route.episodes({ ...(several ? { arena: arena.name } : {}), policy, contract });
  }

  function conditions(arena) {
    const told = (arena.conditions || []).filter(({ text }) => text);
    if (!told.length) return null;
    return folded(
      `Conditions (${told.length})`,
      false,
      h(
        "dl",
        { class: "conditions" },
        told.map((one) => [h("dt", null, name(one.name)), h("dd", null, visible(one.text))])
      )
    );
  }

  function sensitivity(arena, several) {
    if (!arena.sensitivity) return null;
    return folded(
      "Sensitivity: without episodes that failed or held malformed answers",
      false,
      cw.tables.summary(arena.sensitivity, {
        caption: `${arena.title || arena.name}: the same table with failed and malformed episodes dropped.`,
        linkOf: linker(arena, several),
      })
    );
  }

  function comparisons(all) {
    if (!all.length) return null;
    return h(
      "section",
      { class: "comparisons" },
      h("h3", null, "Comparisons"),
      all.map((one) =>
        folded(
          `${one.title} (${one.rows.length} ${one.rows.length === 1 ? "row" : "rows"})`,
          one.rows.length <= MANY_ROWS,
          cw.tables.texts(one, one.caption || one.title)
        )
      )
    );
  }

  function figures(all) {
    if (!all.length) return null;
    return h(
      "section",
      { class: "figures" },
      h("h3", null, "Figures"),
      all.map(({ file, title, caption, alt }) =>
        h(
          "figure",
          null,
          h(
            "div",
            { class: "card-light", tabindex: 0, role: "group", "aria-label": title },
            h("img", { src: file, alt: alt || title || "figure", decoding: "async" })
          ),
          h(
            "figcaption",
            null,
            h("strong", null, visible(title || "")),
            caption ? [" ", visible(caption)] : null
          )
        )
      )
    );
  }

  cw.overview = { render };
})(commonweal);
