// Small charts over time with a cursor at the frame that is shown.
(function (cw) {
  "use strict";

  const { h, svg } = cw.elements;
  const { plain } = cw.words;

  const LEFT = 40;
  const RIGHT = 12;
  const TOP = 16;
  const AXIS = 24; // below the plot, for the labels of x

  function extent(values, others = []) {
    const all = [...values, ...others].filter((value) => typeof value === "number");
    if (!all.length) return [0, 1];
    const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
    return low === high ? [low, low + 1] : [low, high];
  }

  function ticks([low, high], most) {
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) {
      found.push(Number(at.toFixed(10)));
    }
    return found;
  }

  // A drawing with its axes: add to `plot` with the scales `x` and `y`.
  class Chart {
    constructor({ width, height, xs, ys, label, foot = 0 }) {
      this.width = Math.max(width, 240);
      this.height = height + foot;
      this.bottom = height - AXIS;
      this.xs = xs[0] === xs[1] ? [xs[0] - 0.5, xs[1] + 0.5] : xs;
      this.ys = ys;
      this.plot = svg("svg", {
        class: "chart",
        viewBox: `0 0 ${this.width} ${this.height}`,
        width: this.width,
        height: this.height,
        role: "img",
        "aria-label": label,
      });
      this.axes();
    }

    x(value) {
      const share = (value - this.xs[0]) / (this.xs[1] - this.xs[0]);
      return LEFT + share * (this.width - LEFT - RIGHT);
    }

    y(value) {
      const share = (value - this.ys[0]) / (this.ys[1] - this.ys[0]);
      return this.bottom - share * (this.bottom - TOP);
    }

    valueAt(clientX) {
      const box = this.plot.getBoundingClientRect();
      const share =
        (((clientX - box.left) / box.width) * this.width - LEFT) / (this.width - LEFT - RIGHT);
      return this.xs[0] + share * (this.xs[1] - this.xs[0]);
    }

    add(tag, attributes, ...children) {
      const part = svg(tag, attributes, ...children);
      this.plot.append(part);
      return part;
    }

    axes() {
      for (const value of ticks(this.ys, 4)) {
        const y = this.y(value);
        this.add("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y });
        this.add(
          "text",
          { class: "tick", x: LEFT - 6, y: y + 4, "text-anchor": "end" },
          plain(value)
        );
      }
      for (const value of ticks(this.xs, this.width / 70)) {
        if (!Number.isInteger(value)) continue;
        const x = this.x(value);
        this.add(
          "text",
          { class: "tick", x, y: this.bottom + 15, "text-anchor": "middle" },
          plain(value)
        );
      }
    }

    // A line through the points that have a value, broken where they have none.
    line(xs, values, kind, { stepped = false } = {}) {
      let path = "";
      let isDown = false;
      values.forEach((value, index) => {
        if (typeof value !== "number") {
          isDown = false;
          return;
        }
        const [x, y] = [this.x(xs[index]).toFixed(1), this.y(value).toFixed(1)];
        if (!isDown) path += `M${x} ${y}`;
        else path += stepped ? `H${x}V${y}` : `L${x} ${y}`;
        isDown = true;
      });
      if (path) this.add("path", { class: `line ${kind}`, d: path });
    }

    dot(x, value, kind, { radius = 4, title = null } = {}) {
      if (typeof value !== "number") return;
      const place = { cx: this.x(x), cy: this.y(value), r: radius };
      this.add("circle", { class: `dot ${kind}`, ...place }, title && svg("title", null, title));
    }

    // Lines where something changed, each with as much of its text as there is room for.
    marks(all) {
      all.forEach(({ step, text }, index) => {
        const at = this.x(step);
        this.add("line", { class: "change", x1: at, x2: at, y1: TOP - 4, y2: this.bottom });
        const after = (index + 1 < all.length ? this.x(all[index + 1].step) : this.width) - at - 8;
        const before = index ? 0 : at - 8; // the room before a later one is its neighbour's
        const room = Math.floor(Math.max(before, after) / 7);
        if (!text || room < 4) return;
        const place = before > after ? { x: at - 4, "text-anchor": "end" } : { x: at + 4 };
        const label = { class: "change-label", y: TOP - 4, ...place };
        this.add("text", label, short(text, room), svg("title", null, text));
      });
    }

    cursor(x) {
      const at = this.x(Math.min(Math.max(x, this.xs[0]), this.xs[1]));
      this.add("line", { class: "cursor", x1: at, x2: at, y1: TOP - 8, y2: this.bottom });
    }

    // Press or drag to go where the pointer is.
    follow(act) {
      const go = (event) => act(this.valueAt(event.clientX));
      this.plot.addEventListener("pointerdown", go);
      this.plot.addEventListener("pointermove", (event) => event.buttons === 1 && go(event));
      return this;
    }
  }

  function short(text, most) {
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  }

  function legend(entries) {
    return h(
      "ul",
      { class: "legend" },
      entries.map(([kind, label, value]) =>
        h(
          "li",
          null,
          svg(
            "svg",
            { viewBox: "0 0 26 10", class: "sample", "aria-hidden": "true" },
            kind.startsWith("own")
              ? svg("circle", { class: `dot ${kind}`, cx: 13, cy: 5, r: 4 })
              : svg("path", { class: `line ${kind}`, d: "M1 5H25" })
          ),
          label,
          value === null ? null : h("b", null, value)
        )
      )
    );
  }

  cw.chart = { Chart, extent, legend, short };
})(commonweal);
