// Tables of results: sortable, every mean with its interval drawn below it.
(function (cw) {
  "use strict";

  const { h, svg } = cw.elements;
  const { name, plain, visible } = cw.words;

  const NUMERIC = /^[\s<>=≤≥±+\u2212\-–]*\d[\d.,\s%×x±<[\]\u2212–\-e]*$/;

  // A header that sorts: `sorting` is {key, order} or null, `act` gets the key that was chosen.
  function sortHeader(column, sorting, act) {
    const isSorted = sorting && sorting.key === column.key;
    const mark = !isSorted ? "↕" : sorting.order === "desc" ? "↓" : "↑";
    const aria = !isSorted ? null : sorting.order === "desc" ? "descending" : "ascending";
    return h(
      "th",
      { scope: "col", "aria-sort": aria, class: column.isText ? "text" : "number" },
      h(
        "button",
        {
          type: "button",
          title: column.title,
          data: { key: column.key },
          on: { click: () => act(column.key) },
        },
        column.label,
        h("span", { class: isSorted ? "mark" : "mark idle", "aria-hidden": "true" }, mark)
      )
    );
  }

  // The next way to sort after a header was pressed: first its own way, then the other, then none.
  function nextSorting(sorting, key, first) {
    const other = first === "desc" ? "asc" : "desc";
    if (!sorting || sorting.key !== key) return { key, order: first };
    return sorting.order === first ? { key, order: other } : null;
  }

  // Sort by value; what has none comes last either way. The order of equals stays.
  function sorted(rows, valueOf, order) {
    const sign = order === "desc" ? -1 : 1;
    return rows
      .map((row, index) => ({ row, index, value: valueOf(row) }))
      .sort((a, b) => {
        if (a.value === null || b.value === null) {
          return (a.value === null) - (b.value === null) || a.index - b.index;
        }
        if (a.value === b.value) return a.index - b.index;
        return a.value < b.value ? -sign : sign;
      })
      .map(({ row }) => row);
  }

  function scrolling(table, label) {
    return h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": label }, table);
  }

  // The table of an arena; `linkOf(policy, contract)` is where episodes are, of any condition
  // where none is named.
  function summary(table, { caption, linkOf }) {
    const ranges = new Map(table.columns.map(({ key }) => [key, rangeOf(table.rows, key)]));
    const columns = [
      { key: "policy", label: "Policy", isText: true, of: (row) => row.policy.toLowerCase() },
      {
        key: "contract",
        label: "Condition",
        isText: true,
        of: (row) => row.contract.toLowerCase(),
      },
      { key: "n", label: "n", title: "how many were resampled", of: (row) => row.n },
      ...table.columns.map((column) => ({ ...column, of: (row) => meanOf(row, column.key) })),
    ];
    const element = h("table", { class: "summary" }, h("caption", null, caption));
    let sorting = null;

    function draw() {
      const by = sorting && columns.find(({ key }) => key === sorting.key);
      const rows = by ? sorted(table.rows, by.of, sorting.order) : table.rows;
      const chosen = document.activeElement && document.activeElement.dataset.key;
      element.replaceChildren(
        element.caption,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            columns.map((c) => sortHeader(c, sorting, choose))
          )
        ),
        ...(by
          ? [
              h(
                "tbody",
                null,
                rows.map((row) => line(row, policyOf(row, 1)))
              ),
            ]
          : groups(rows).map(group))
      );
      const header = chosen && element.querySelector(`button[data-key="${CSS.escape(chosen)}"]`);
      if (header) header.focus();
    }

    function choose(key) {
      const column = columns.find((one) => one.key === key);
      sorting = nextSorting(sorting, key, column.isText ? "asc" : "desc");
      draw();
    }

    // As given, the conditions of a policy stand together below its name.
    function group(rows) {
      return h(
        "tbody",
        null,
        rows.map((row, index) => line(row, index ? null : policyOf(row, rows.length)))
      );
    }

    function policyOf({ policy }, rowspan) {
      const scope = rowspan > 1 ? "rowgroup" : "row";
      return h(
        "th",
        { scope, rowspan, class: "text policy" },
        h("a", { href: linkOf(policy) }, name(policy))
      );
    }

    function line(row, policy) {
      return h(
        "tr",
        null,
        policy,
        h(
          "th",
          { scope: "row", class: "text condition" },
          h("a", { href: linkOf(row.policy, row.contract) }, name(row.contract))
        ),
        h("td", { class: "number" }, row.n, h("span", { class: "unit" }, unitOf(row))),
        table.columns.map(({ key }) => cell(row.cells[key], ranges.get(key)))
      );
    }

    draw();
    return scrolling(element, caption);
  }

  function groups(rows) {
    const found = [];
    for (const row of rows) {
      if (found.length && found.at(-1)[0].policy === row.policy) found.at(-1).push(row);
      else found.push([row]);
    }
    return found;
  }

  function unitOf(row) {
    if (!row.unit) return null;
    return row.n === 1 ? row.unit : row.unit.replace(/([^s])$/, "$1s");
  }

  function meanOf(row, key) {
    const found = row.cells[key];
    return found && found.mean !== undefined ? found.mean : null;
  }

  function rangeOf(rows, key) {
    const ends = rows
      .flatMap(({ cells }) =>
        cells[key] ? [cells[key].mean, cells[key].low, cells[key].high] : []
      )
      .filter((value) => typeof value === "number");
    return ends.length ? [Math.min(...ends), Math.max(...ends)] : null;
  }

  function cell(found, range) {
    if (!found) return h("td", { class: "number" }, "–");
    return h("td", { class: "number" }, found.text || textOf(found), whisker(found, range));
  }

  function textOf({ mean, low, high }) {
    if (typeof low !== "number" || typeof high !== "number") return plain(mean);
    return `${plain(mean)} [${plain(low)}, ${plain(high)}]`;
  }

  function whisker({ mean, low, high }, range) {
    if (typeof mean !== "number" || !range || range[0] === range[1]) return null;
    const x = (value) => 4 + (92 * (value - range[0])) / (range[1] - range[0]);
    const parts = [svg("line", { x1: 4, x2: 96, y1: 5, y2: 5, class: "rail" })];
    if (typeof low === "number" && typeof high === "number") {
      parts.push(svg("line", { x1: x(low), x2: x(high), y1: 5, y2: 5, class: "interval" }));
    }
    parts.push(svg("circle", { cx: x(mean), cy: 5, r: 3, class: "mean" }));
    return svg("svg", { viewBox: "0 0 100 10", class: "whisker", "aria-hidden": "true" }, parts);
  }

  // A table of texts, such as a comparison; columns of numbers are set to the right.
  function texts({ columns, rows }, caption) {
    const labels = columns.map((column) => (typeof column === "string" ? column : column.label));
    const isNumber = labels.map((_, index) => {
      const filled = rows.map((row) => String(row[index] ?? "")).filter((text) => /\w/.test(text));
      return filled.length > 0 && filled.every((text) => NUMERIC.test(text));
    });
    const kind = (index) => (isNumber[index] ? "number" : "text");
    const table = h(
      "table",
      null,
      h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          labels.map((l, i) => h("th", { scope: "col", class: kind(i) }, l))
        )
      ),
      h(
        "tbody",
        null,
        rows.map((row) =>
          h(
            "tr",
            null,
            row.map((text, i) => h("td", { class: kind(i) }, visible(String(text ?? "–"))))
          )
        )
      )
    );
    return scrolling(table, caption);
  }

  cw.tables = { sortHeader, nextSorting, sorted, scrolling, summary, texts };
})(commonweal);
