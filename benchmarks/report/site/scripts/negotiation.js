// The state of a negotiation beside its transcript: the deal, the parties, the course of scores.
(function (cw) {
  "use strict";

  const { h, svg, choice, facts, labelled } = cw.elements;
  const { name, plain, visible } = cw.words;
  const { Chart, extent, legend } = cw.chart;

  const AGREEING = 18; // height of the row of agreeing parties, pixels

  function render(transcript, frame, { width, goTo, shown, redraw }) {
    const { series } = transcript;
    const deal = (frame.state && frame.state.deal) || null;
    return [
      dealTable(series, deal, {
        shown,
        redraw,
        speaker: frame.acts.length === 1 ? frame.acts[0].agent : "",
      }),
      partyTable(transcript, frame),
      course(transcript, frame, width, goTo),
      best(series),
    ];
  }

  function dealTable(series, deal, { shown, redraw, speaker }) {
    const chosen = new Set(deal ? deal.split(",") : []);
    const most = Math.max(...series.issues.map(({ options }) => options.length));
    const party = shown.party === undefined ? speaker : shown.party;
    const pick = choice(
      [
        ["speaker", "who speaks"],
        ["", "nobody"],
        ...series.parties.map((one) => [one.name, one.name]),
      ],
      shown.party === undefined ? "speaker" : shown.party,
      (value) => {
        shown.party = value === "speaker" ? undefined : value;
        redraw();
      },
      { data: { key: "points-of" } }
    );
    const table = h(
      "table",
      { class: "deal" },
      h("caption", null, deal ? ["Deal on the table: ", name(deal)] : "No deal on the table"),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, "Issue"),
          Array.from({ length: most }, (_, i) => h("th", { scope: "col" }, `Option ${i + 1}`))
        )
      ),
      h(
        "tbody",
        null,
        series.issues.map((issue) => issueRow(issue, chosen, party, most))
      )
    );
    return h(
      "section",
      { class: "panel", "aria-label": "Deal" },
      h("div", { class: "panel-head" }, h("h3", null, "Deal"), labelled("Points of", pick)),
      cw.tables.scrolling(table, "Issues and options")
    );
  }

  function issueRow(issue, chosen, party, most) {
    const rest = Array.from({ length: most - issue.options.length }, () =>
      h("td", { class: "none" })
    );
    return h(
      "tr",
      null,
      h("th", { scope: "row" }, name(issue.name)),
      issue.options.map((one) => option(one, chosen, party)),
      rest
    );
  }

  function option(one, chosen, party) {
    const isChosen = chosen.has(one.name);
    const points = party && one.scores ? one.scores[party] : undefined;
    return h(
      "td",
      { class: isChosen ? "option chosen" : "option" },
      h(
        "span",
        { class: "option-name" },
        isChosen ? h("span", { class: "tick-mark" }, "✓ ") : null,
        name(one.name),
        isChosen ? h("span", { class: "unseen-by-eye" }, " chosen") : null
      ),
      points === undefined ? null : h("span", { class: "points" }, plain(points)),
      h("span", { class: "option-text", dir: "auto" }, visible(one.text || ""))
    );
  }

  function partyTable(transcript, frame) {
    const { series } = transcript;
    const { scores, agree } = frame.state || {};
    const line = (party, index) => {
      const score = scores ? scores[party.name] : undefined;
      return h(
        "tr",
        null,
        h(
          "th",
          { scope: "row" },
          h("span", { class: `swatch agent-${index % 7}`, "aria-hidden": "true" }),
          name(party.name),
          rights(series, party.name),
          role(party)
        ),
        h("td", { class: "number" }, plain(score)),
        h("td", { class: "number" }, plain(party.threshold)),
        h("td", null, verdict(agree ? agree[party.name] : null)),
        h("td", { class: "bar-cell" }, bar(score, party.threshold, most(series, party.name)))
      );
    };
    const count = agree ? Object.values(agree).filter(Boolean).length : null;
    const caption =
      count === null ? "Parties" : `Parties: ${count} of ${series.parties.length} would agree`;
    const heads = [
      ["Party"],
      ["Score", "number"],
      ["Threshold", "number"],
      ["Would agree"],
      ["Score against threshold"],
    ];
    const table = h(
      "table",
      { class: "parties" },
      h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          heads.map(([label, kind]) => h("th", { scope: "col", class: kind }, label))
        )
      ),
      h("tbody", null, series.parties.map(line))
    );
    return h(
      "section",
      { class: "panel", "aria-label": "Parties" },
      cw.tables.scrolling(table, "Parties")
    );
  }

  function rights(series, party) {
    const told = [
      series.proposer === party ? "proposes" : null,
      series.veto === party ? "veto" : null,
    ].filter(Boolean);
    return told.length ? h("span", { class: "rights" }, told.join(", ")) : null;
  }

  function role({ role: told, incentive }) {
    const parts = [told, incentive].filter(Boolean);
    return parts.length ? h("span", { class: "role" }, visible(parts.join(" · "))) : null;
  }

  function verdict(agrees) {
    if (agrees === null || agrees === undefined) return "–";
    return agrees ? h("span", { class: "yes" }, "✓ yes") : h("span", { class: "no" }, "✗ no");
  }

  // The most points that a party can have.
  function most(series, party) {
    return series.issues.reduce(
      (sum, { options }) =>
        sum + Math.max(0, ...options.map(({ scores }) => (scores && scores[party]) || 0)),
      0
    );
  }

  function bar(score, threshold, full) {
    if (!full) return null;
    const x = (value) => (120 * Math.max(0, Math.min(value, full))) / full;
    const parts = [svg("rect", { class: "rail", x: 0, y: 5, width: 120, height: 6, rx: 3 })];
    if (typeof score === "number") {
      parts.push(
        svg("rect", {
          class: score >= threshold ? "reached" : "missed",
          x: 0,
          y: 5,
          width: x(score),
          height: 6,
          rx: 3,
        })
      );
    }
    if (typeof threshold === "number") {
      parts.push(
        svg("line", { class: "threshold", x1: x(threshold), x2: x(threshold), y1: 1, y2: 15 })
      );
    }
    return svg("svg", { class: "bar", viewBox: "0 0 120 16", "aria-hidden": "true" }, parts);
  }

  function course(transcript, frame, width, goTo) {
    const { turns, parties } = transcript.series;
    if (!turns || !turns.length) return null;
    const xs = turns.map((_, index) => index);
    const now = Math.max(
      0,
      turns.findLastIndex((turn) => turn.frame <= transcript.frames.indexOf(frame))
    );
    const chart = new Chart({
      width,
      height: 190,
      xs: [0, xs.at(-1)],
      ys: extent(
        turns.map(({ own }) => own),
        turns.map(({ collective }) => collective)
      ),
      foot: AGREEING,
      label: `Own and collective score by turn, cursor at turn ${now}`,
    });
    chart.line(
      xs,
      turns.map(({ collective }) => collective),
      "collective"
    );
    chart.cursor(now);
    const seat = (party) => parties.findIndex((one) => one.name === party);
    turns.forEach((turn, index) => {
      const title = `${turn.party}: ${plain(turn.own)}`;
      chart.dot(index, turn.own, `own agent-${seat(turn.party) % 7}`, {
        radius: index === now ? 6 : 4,
        title,
      });
      if (typeof turn.agreeing !== "number") return;
      const isCrowded = chart.width / turns.length < 14 && index !== now;
      if (!isCrowded) {
        chart.add(
          "text",
          {
            class: index === now ? "agreeing now" : "agreeing",
            x: chart.x(index),
            y: chart.bottom + 34,
            "text-anchor": "middle",
          },
          turn.agreeing
        );
      }
    });
    chart.follow((x) => goTo(turns[Math.max(0, Math.min(turns.length - 1, Math.round(x)))].frame));
    const turn = turns[now];
    return h(
      "figure",
      { class: "panel" },
      h("figcaption", null, `Scores by turn · turn ${now}, `, name(turn.party)),
      legend([
        [`own agent-${seat(turn.party) % 7}`, "Own, the speaker's colour", plain(turn.own)],
        ["collective", "Collective", plain(turn.collective)],
      ]),
      chart.plot,
      h(
        "p",
        { class: "hint" },
        "Below the axis: how many parties would agree",
        typeof turn.agreeing === "number" ? `, now ${turn.agreeing} of ${parties.length}.` : "."
      )
    );
  }

  function best(series) {
    if (!series.optimum) return null;
    const text = (value) =>
      value !== null && typeof value === "object"
        ? Object.entries(value)
            .map(([key, inner]) => `${key} ${typeof inner === "number" ? plain(inner) : inner}`)
            .join(", ")
        : typeof value === "number"
          ? plain(value)
          : value;
    const pairs = Object.entries(series.optimum).map(([key, value]) => [
      key.replaceAll("_", " "),
      text(value),
    ]);
    return h(
      "section",
      { class: "panel", "aria-label": "Best deal" },
      h("h3", null, "The best deal that could pass"),
      facts(pairs, { class: "facts small" })
    );
  }

  cw.negotiation = { render };
})(commonweal);
