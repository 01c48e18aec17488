// The state of a Cleanup game beside its transcript: a map, the course of the game, the contract.
(function (cw) {
  "use strict";

  const { h, svg, folded } = cw.elements;
  const { name, plain, visible } = cw.words;
  const { Chart, extent, legend, short } = cw.chart;

  const MOST_DOTS = 60; // fruit or pollution on the map
  const BAND = 32; // height of the row of contracts, pixels: two lines of text

  function render(transcript, frame, { width, goTo }) {
    return [
      map(transcript, frame),
      course(transcript, frame, width, goTo),
      welfare(transcript, frame, width, goTo),
    ];
  }

  function map(transcript, frame) {
    const state = frame.state || {};
    const places = state.places || {};
    const at = (place) => transcript.agents.filter(({ name: agent }) => places[agent] === place);
    return h(
      "section",
      { class: "panel map", "aria-label": "Map" },
      h(
        "div",
        { class: "place garden" },
        h("h3", null, "Fruit garden"),
        h("p", null, `Fruit ${plain(state.fruit)}`),
        dots(state.fruit, "fruit"),
        crowd(at("garden"), transcript)
      ),
      h(
        "div",
        { class: "place river" },
        h("h3", null, "River shore"),
        h("p", null, `Pollution ${plain(state.pollution)} of ${plain(state.threshold)}`),
        dots(state.pollution, "dirt"),
        growth(state),
        crowd(at("shore"), transcript)
      )
    );
  }

  function growth({ pollution, threshold }) {
    if (typeof pollution !== "number" || typeof threshold !== "number") return null;
    if (pollution < threshold) return h("p", { class: "grows" }, "Below the threshold");
    return h("p", { class: "grows not" }, "Not below the threshold");
  }

  function crowd(agents, transcript) {
    if (!agents.length) return h("p", { class: "nobody" }, "nobody");
    const seat = (agent) => transcript.agents.indexOf(agent);
    return h(
      "ul",
      { class: "crowd" },
      agents.map((agent) => h("li", { class: `agent-${seat(agent) % 7}` }, name(agent.name)))
    );
  }

  function dots(amount, kind) {
    const shown = Math.max(0, Math.min(MOST_DOTS, Math.round(amount || 0)));
    const circles = Array.from({ length: shown }, (_, index) =>
      svg("circle", {
        class: kind,
        cx: 6 + (index % 20) * 10,
        cy: 6 + Math.floor(index / 20) * 10,
        r: 3.4,
      })
    );
    return svg("svg", { class: "dots", viewBox: "0 0 202 32", "aria-hidden": "true" }, circles);
  }

  function position(series, step) {
    const index = series.x.indexOf(step);
    return index < 0 ? (step < series.x[0] ? 0 : series.x.length - 1) : index;
  }

  function course(transcript, frame, width, goTo) {
    const { series } = transcript;
    if (!series || !series.x.length) return null;
    const contracts = series.contracts || [];
    const chart = new Chart({
      width,
      height: 210,
      xs: [series.x[0], series.x.at(-1)],
      ys: extent(series.pollution, [...series.fruit, ...series.threshold]),
      foot: contracts.length ? BAND + 4 : 0,
      label: `Pollution, fruit and threshold by step, cursor at step ${frame.step}`,
    });
    chart.marks(series.changes || []);
    bands(chart, contracts, frame.step, series);
    chart.line(series.x, series.threshold, "threshold", { stepped: true });
    chart.line(series.x, series.fruit, "fruit");
    chart.line(series.x, series.pollution, "pollution");
    chart.cursor(frame.step);
    const now = position(series, frame.step);
    chart.dot(series.x[now], series.fruit[now], "fruit");
    chart.dot(series.x[now], series.pollution[now], "pollution");
    chart.follow((x) => goTo(nearest(series, x)));
    return h(
      "figure",
      { class: "panel" },
      h("figcaption", null, `The course of the game · step ${frame.step}`),
      legend([
        ["pollution", "Pollution", plain(series.pollution[now])],
        ["threshold", "Threshold", plain(series.threshold[now])],
        ["fruit", "Fruit", plain(series.fruit[now])],
      ]),
      chart.plot,
      changes(series)
    );
  }

  function nearest(series, x) {
    let best = 0;
    series.x.forEach((step, index) => {
      if (Math.abs(step - x) < Math.abs(series.x[best] - x)) best = index;
    });
    return series.frame_of_step[best];
  }

  function bands(chart, contracts, step, series) {
    const end = series.x.at(-1);
    contracts.forEach(({ from_step: from, to_step: to, text }, index) => {
      const [left, right] = [chart.x(from), chart.x(Math.min(to ?? end, end))];
      const isNow = step >= from && step < (to ?? Infinity);
      const y = chart.bottom + 20;
      const lines = inTwo(text, Math.floor((right - left - 8) / 5.8));
      chart.add(
        "g",
        { class: `band ${index % 2 ? "odd" : "even"} ${isNow ? "now" : ""}` },
        svg("rect", { x: left, y, width: Math.max(1, right - left - 1), height: BAND, rx: 3 }),
        lines.map((line, at) => svg("text", { x: left + 5, y: y + 13 + 13 * at }, line)),
        svg("title", null, text)
      );
    });
  }

  // A text in at most two lines of so many characters.
  function inTwo(text, room) {
    if (room < 4) return [];
    if (text.length <= room) return [text];
    const end = text.lastIndexOf(" ", room);
    if (end <= room / 2) return [short(text, room)];
    return [text.slice(0, end), short(text.slice(end + 1), room)];
  }

  function changes({ changes: all, contracts }) {
    const told = [
      ...(all || []).map(({ step, text }) => [step, text]),
      ...(contracts || []).map(({ from_step: from, to_step: to, text }) => [
        from,
        `${text}${to ? ` (to step ${to})` : ""}`,
      ]),
    ].sort((a, b) => a[0] - b[0]);
    if (!told.length) return null;
    return folded(
      "Changes and contracts in words",
      false,
      h(
        "ul",
        { class: "told" },
        told.map(([step, text]) => h("li", null, `Step ${step}: `, visible(text)))
      )
    );
  }

  function welfare(transcript, frame, width, goTo) {
    const { series } = transcript;
    if (!series || !(series.welfare || []).length) return null;
    const optimum = series.optimum || [];
    const chart = new Chart({
      width,
      height: 150,
      xs: [series.x[0], series.x.at(-1)],
      ys: extent(series.welfare, optimum),
      label: `Welfare and the optimum's by step, cursor at step ${frame.step}`,
    });
    chart.marks((series.changes || []).map(({ step }) => ({ step })));
    chart.line(series.x, optimum, "optimum");
    chart.line(series.x, series.welfare, "welfare");
    chart.cursor(frame.step);
    const now = position(series, frame.step);
    chart.dot(series.x[now], series.welfare[now], "welfare");
    chart.follow((x) => goTo(nearest(series, x)));
    return h(
      "figure",
      { class: "panel" },
      h("figcaption", null, "Welfare by step"),
      legend([
        ["welfare", "Reached", plain(series.welfare[now])],
        ["optimum", "Social optimum", plain(optimum[now])],
      ]),
      chart.plot
    );
  }

  cw.cleanup = { render };
})(commonweal);
