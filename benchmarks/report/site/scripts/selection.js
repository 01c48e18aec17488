// The table of all episodes in memory: what a filter leaves of it, in which order.
(function (cw) {
  "use strict";

  const FIXED = [
    "arena",
    "policy",
    "contract",
    "episode",
    "seed",
    "status",
    "malformed",
    "calls",
    "tokens",
  ];
  const NAMED = new Set(["arena", "policy", "contract"]);

  class Selection {
    constructor(index, run) {
      this.rows = index.rows;
      this.names = index.names;
      this.columns = index.columns;
      // A measure may be called like a column that every episode has: the latter comes first.
      this.at = new Map(index.columns.map((column, position) => [column, position]).reverse());
      this.measures = index.columns.filter((column) => !FIXED.includes(column));
      this.told = new Map();
      for (const arena of run.arenas) {
        for (const measure of arena.measures || []) {
          if (!this.told.has(measure.name)) this.told.set(measure.name, measure);
        }
      }
      this.last = { key: null, numbers: [] };
    }

    value(number, column) {
      if (column === "number") return number;
      const value = this.rows[number][this.at.get(column)];
      return NAMED.has(column) ? this.names[column][value] : value === undefined ? null : value;
    }

    // Numbers of the episodes that pass the filters, in their order.
    numbers(filters) {
      const key = JSON.stringify(filters);
      if (this.last.key !== key) this.last = { key, numbers: this.select(filters) };
      return this.last.numbers;
    }

    select(filters) {
      const tests = this.tests(filters);
      const left = [];
      for (let number = 0; number < this.rows.length; number += 1) {
        if (tests.every((test) => test(number))) left.push(number);
      }
      if (!filters.sort || !(filters.sort === "number" || this.at.has(filters.sort))) return left;
      return cw.tables.sorted(
        left,
        (number) => this.value(number, filters.sort),
        filters.order || "asc"
      );
    }

    tests(filters) {
      const tests = [];
      for (const column of NAMED) {
        const wanted = filters[column];
        if (wanted === undefined) continue;
        const position = this.at.get(column);
        const passing = new Set();
        this.names[column].forEach((one, index) => {
          if (one === wanted || one.startsWith(`${wanted}/`)) passing.add(index);
        });
        tests.push((number) => passing.has(this.rows[number][position]));
      }
      if (filters.status) {
        const position = this.at.get("status");
        tests.push((number) => this.rows[number][position] === filters.status);
      }
      for (const word of (filters.search || "").toLowerCase().split(/\s+/).filter(Boolean)) {
        tests.push(this.wordTest(word));
      }
      return tests;
    }

    // A number finds episodes by the first digits of their number or seed, a word by their names.
    wordTest(word) {
      if (/^#?\d+$/.test(word)) {
        const digits = word.replace("#", "");
        const seed = this.at.get("seed");
        return (number) =>
          String(number).startsWith(digits) || String(this.rows[number][seed]).startsWith(digits);
      }
      const found = [...NAMED].map((column) => [
        this.at.get(column),
        new Set(
          this.names[column].flatMap((one, index) =>
            one.toLowerCase().includes(word) ? [index] : []
          )
        ),
      ]);
      return (number) =>
        found.some(([position, passing]) => passing.has(this.rows[number][position]));
    }

    // The measures that some of these episodes have.
    measuresOf(numbers) {
      return this.measures.filter((measure) => {
        const position = this.at.get(measure);
        return numbers.some((number) => typeof this.rows[number][position] === "number");
      });
    }

    hasAny(column) {
      const position = this.at.get(column);
      return this.rows.some((row) => row[position]);
    }

    // Names to choose from; of policies trained several times, first all of them at once.
    options(column) {
      const names = this.names[column];
      if (column !== "policy") return names.map((one) => [one, one]);
      const trained = new Map();
      for (const one of names) {
        const head = one.split("/")[0];
        if (head !== one) trained.set(head, [...(trained.get(head) || []), one]);
      }
      const groups = [...trained]
        .filter(([head, all]) => all.length > 1 && !names.includes(head))
        .map(([head, all]) => [head, `${head} (all ${all.length})`]);
      return [...groups, ...names.map((one) => [one, one])];
    }
  }

  cw.Selection = Selection;
})(commonweal);
