// The table of episodes: filtered, sorted, a page at a time.
(function (cw) {
  "use strict";

  const { h, button, labelled, choice } = cw.elements;
  const { name, count, number, plain } = cw.words;

  const PAGE = 100; // rows
  const SEARCH_AFTER_MS = 150;

  function render(selection, run, route) {
    const view = new EpisodesView(selection, run, route);
    return view.element;
  }

  class EpisodesView {
    constructor(selection, run, route) {
      this.selection = selection;
      this.run = run;
      this.filters = { ...route.filters };
      this.page = route.page;
      this.status = h("p", { class: "count", role: "status" });
      this.body = h("div", { class: "results" });
      this.form = h("div", { class: "filters", role: "search", "aria-label": "Filter episodes" });
      this.element = h(
        "div",
        { class: "episodes" },
        h("h1", null, "Episodes"),
        this.form,
        this.status,
        this.body
      );
      this.drawForm();
      this.draw();
    }

    drawForm() {
      const pick = (column, label, options) =>
        labelled(
          label,
          choice([["", "All"], ...options], this.filters[column] || "", (value) =>
            this.narrow(column, value)
          )
        );
      const options = (column) => this.selection.options(column);
      const search = h("input", {
        type: "search",
        value: this.filters.search || "",
        placeholder: "Number, seed or name",
        autocomplete: "off",
        spellcheck: "false",
      });
      let timer = null;
      search.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.narrow("search", search.value.trim()), SEARCH_AFTER_MS);
      });
      this.form.replaceChildren(
        ...[
          this.selection.names.arena.length > 1 ? pick("arena", "Arena", options("arena")) : null,
          pick("policy", "Policy", options("policy")),
          pick("contract", "Condition", options("contract")),
          pick("status", "Status", [
            ["ok", "ok"],
            ["malformed", "malformed"],
          ]),
          labelled("Search", search),
          button("Clear", () => this.clear(), { class: "quiet" }),
        ].filter(Boolean)
      );
    }

    narrow(column, value) {
      if (value) this.filters[column] = value;
      else delete this.filters[column];
      this.turnTo(0);
    }

    clear() {
      this.filters = {};
      this.drawForm();
      this.turnTo(0);
      this.form.querySelector("select").focus();
    }

    sort(key) {
      const { sort, order } = this.filters;
      const sorting = sort ? { key: sort, order: order || "asc" } : null;
      const told = this.selection.told.get(key);
      const first =
        this.selection.measures.includes(key) && !(told && told.better === "low") ? "desc" : "asc";
      const next = cw.tables.nextSorting(sorting, key, first);
      delete this.filters.sort;
      delete this.filters.order;
      if (next) Object.assign(this.filters, { sort: next.key, order: next.order });
      this.turnTo(0);
      const header = this.body.querySelector(`button[data-key="${CSS.escape(key)}"]`);
      if (header) header.focus();
    }

    turnTo(page) {
      this.page = page;
      this.draw();
      cw.route.restate(cw.route.episodes(this.filters, this.page));
    }

    columns(numbers) {
      const { selection } = this;
      const text = (key, label) => ({ key, label, isText: true });
      const all = [
        selection.names.arena.length > 1 ? text("arena", "Arena") : null,
        text("policy", "Policy"),
        text("contract", "Condition"),
        { key: "episode", label: "Episode", title: "number within its cell" },
        { key: "seed", label: "Seed", title: "of the environment" },
        text("status", "Status"),
        { key: "malformed", label: "Malformed", title: "answers that could not be read" },
        selection.hasAny("calls")
          ? { key: "calls", label: "Calls", title: "questions to models" }
          : null,
        selection.hasAny("tokens")
          ? { key: "tokens", label: "Tokens", title: "in questions and answers" }
          : null,
      ];
      const measures = selection.measuresOf(numbers).map((key) => {
        const told = selection.told.get(key) || {};
        return { key, label: told.label || key, digits: told.digits, isMeasure: true };
      });
      return [...all.filter(Boolean), ...measures];
    }

    draw() {
      const numbers = this.selection.numbers(this.filters);
      const pages = Math.max(1, Math.ceil(numbers.length / PAGE));
      this.page = Math.min(this.page, pages - 1);
      const total = this.selection.rows.length;
      this.status.textContent =
        numbers.length === total
          ? `${count(total)} episodes`
          : `${count(numbers.length)} of ${count(total)} episodes`;
      if (!numbers.length) {
        this.body.replaceChildren(h("p", { class: "note" }, "No episode passes these filters."));
        return;
      }
      const from = this.page * PAGE;
      const shown = numbers.slice(from, from + PAGE);
      const told = `Episodes ${count(from + 1)} to ${count(from + shown.length)} of ${count(numbers.length)}`;
      this.body.replaceChildren(
        this.table(shown, this.columns(numbers), told),
        this.pager(pages, told)
      );
    }

    table(shown, columns, told) {
      const { sort, order } = this.filters;
      const sorting = sort ? { key: sort, order: order || "asc" } : null;
      const first = { key: "number", label: "#", title: "number in this run" };
      const header = (column) => cw.tables.sortHeader(column, sorting, (key) => this.sort(key));
      const table = h(
        "table",
        { class: "index" },
        h("caption", null, `${told}. A number opens the transcript; a heading sorts.`),
        h("thead", null, h("tr", null, [first, ...columns].map(header))),
        h(
          "tbody",
          null,
          shown.map((one) => this.line(one, columns))
        )
      );
      return cw.tables.scrolling(table, "Table of episodes");
    }

    line(one, columns) {
      const href = cw.route.episode(one, { filters: this.filters });
      const row = h(
        "tr",
        null,
        h(
          "th",
          { scope: "row", class: "number" },
          h("a", { href, "aria-label": `Episode ${one}` }, one)
        ),
        columns.map((column) => this.cell(one, column))
      );
      row.addEventListener("click", (event) => {
        if (!event.target.closest("a") && !String(getSelection())) cw.route.go(href);
      });
      return row;
    }

    cell(one, { key, isText, isMeasure, digits }) {
      const value = this.selection.value(one, key);
      if (key === "status")
        return h(
          "td",
          { class: "text" },
          h("span", { class: `badge ${value === "ok" ? "ok" : "bad"}` }, value)
        );
      if (isText) return h("td", { class: "text" }, name(value));
      if (typeof value !== "number")
        return h("td", { class: "number" }, value === null ? "–" : String(value));
      if (isMeasure && digits !== undefined)
        return h("td", { class: "number" }, number(value, digits));
      return h("td", { class: "number" }, key === "seed" ? value : plain(value));
    }

    pager(pages, told) {
      if (pages === 1) return null || h("span");
      const to = (page, label, isOff) =>
        button(
          label,
          () => {
            this.turnTo(page);
            this.body.querySelector(".scrolls").focus();
          },
          { disabled: isOff }
        );
      return h(
        "nav",
        { class: "pager", "aria-label": "Pages of the table" },
        to(0, "First", this.page === 0),
        to(this.page - 1, "Previous", this.page === 0),
        h("span", null, `Page ${this.page + 1} of ${pages}`),
        to(this.page + 1, "Next", this.page === pages - 1),
        to(pages - 1, "Last", this.page === pages - 1)
      );
    }
  }

  cw.episodes = { render };
})(commonweal);
