// One frame of a transcript: what each agent saw, thought, said and did.
(function (cw) {
  "use strict";

  const { h, folded, facts } = cw.elements;
  const { name, prose, plain, signed, count, visible, number } = cw.words;

  // What is folded stays so from frame to frame.
  const isOpen = { saw: true, calls: false };

  function render(transcript, frame, { thoughts, whole = false }) {
    return [
      frame.acts.map((act) => card(transcript, act, { thoughts, whole })),
      frame.acts.length ? null : h("p", { class: "note" }, "Nobody acts in this frame."),
    ];
  }

  function seatOf(transcript, agent) {
    return transcript.agents.findIndex((one) => one.name === agent);
  }

  function card(transcript, act, { thoughts, whole }) {
    const seat = seatOf(transcript, act.agent);
    const told = transcript.agents[seat] || {};
    const label = (what) => `What ${act.agent} ${what}`;
    return h(
      "article",
      { class: `act agent-${Math.max(0, seat) % 7}`, "aria-label": act.agent },
      h(
        "header",
        null,
        h("h3", null, name(act.agent)),
        told.role ? h("span", { class: "role" }, visible(told.role)) : null,
        told.player ? h("span", { class: "player" }, name(told.player)) : null
      ),
      did(act),
      act.thought && thoughts
        ? part("Thought", prose(act.thought, { label: label("thought"), whole, kind: "thought" }))
        : null,
      act.thought && !thoughts && !whole
        ? h("p", { class: "hint" }, "Kept a scratchpad: hidden.")
        : null,
      act.said
        ? part("Said", prose(act.said, { label: label("said"), whole, kind: "said" }))
        : null,
      act.saw
        ? foldable(
            "saw",
            "Saw",
            act,
            whole,
            prose(act.saw, { label: label("saw"), whole, kind: "saw" })
          )
        : null,
      calls(act, { thoughts, whole })
    );
  }

  function part(title, ...content) {
    return h("div", { class: "part" }, h("h4", null, title), ...content);
  }

  function foldable(kind, title, act, whole, ...content) {
    if (whole) return part(title, ...content);
    const fold = folded(title, isOpen[kind], ...content);
    fold.firstChild.dataset.key = `${kind}:${act.agent}`;
    fold.addEventListener("toggle", () => {
      isOpen[kind] = fold.open;
    });
    return fold;
  }

  function did(act) {
    const isOk = act.status === "ok";
    return h(
      "p",
      { class: "did" },
      h("span", { class: "what" }, name(act.did)),
      act.illegal ? h("span", { class: "badge bad" }, "not possible") : null,
      isOk ? null : h("span", { class: "badge bad" }, act.status.replaceAll("_", " ")),
      typeof act.reward === "number"
        ? h("span", { class: "amount" }, "reward ", h("b", null, signed(act.reward)))
        : null,
      act.transfer
        ? h(
            "span",
            { class: "amount" },
            act.transfer > 0 ? "is paid " : "pays ",
            h("b", null, plain(Math.abs(act.transfer)))
          )
        : null
    );
  }

  function sum(all, key) {
    return all.reduce((total, call) => total + (call[key] || 0), 0);
  }

  function calls(act, { thoughts, whole }) {
    const all = act.calls || [];
    if (!all.length) return null;
    const again =
      all.length > 1
        ? `, asked again ${all.length === 2 ? "once" : `${all.length - 1} times`}`
        : "";
    const told =
      `${all.length} model ${all.length === 1 ? "call" : "calls"}${again} · ` +
      `${count(sum(all, "prompt_tokens"))} + ${count(sum(all, "completion_tokens"))} tokens · ` +
      `${number(sum(all, "latency_s"), 2)} s`;
    if (whole) {
      const statuses = all.map(({ status }) => status).join(", ");
      return h("p", { class: "hint" }, told, visible(` · read as: ${statuses}`));
    }
    return foldable(
      "calls",
      told,
      act,
      whole,
      callTable(all, act),
      all.map((call, index) => answer(call, index, act, thoughts))
    );
  }

  const COLUMNS = [
    ["Read as", (call) => (call.status || "–").replaceAll("_", " ")],
    ["Form", (call) => call.form || "–"],
    ["Prompt", (call) => plain(call.prompt_tokens), "tokens"],
    ["Cached", (call) => plain(call.cached_tokens), "tokens"],
    ["Answer", (call) => plain(call.completion_tokens), "tokens"],
    ["Seconds", (call) => number(call.latency_s, 2)],
    ["Attempts", (call) => plain(call.attempts)],
    ["Finished", (call) => call.finish_reason || "–"],
  ];

  function callTable(all, act) {
    const kind = (index) => ([0, 1, 7].includes(index) ? "text" : "number");
    const table = h(
      "table",
      { class: "calls" },
      h("caption", null, `Model calls of ${act.agent}`),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, "Call"),
          COLUMNS.map(([label, , title], i) =>
            h("th", { scope: "col", class: kind(i), title }, label)
          )
        )
      ),
      h(
        "tbody",
        null,
        all.map((call, index) =>
          h(
            "tr",
            null,
            h("th", { scope: "row" }, index === 0 ? "1" : `${index + 1}, repair`),
            COLUMNS.map(([, of], i) => h("td", { class: kind(i) }, visible(String(of(call)))))
          )
        )
      )
    );
    return cw.tables.scrolling(table, `Model calls of ${act.agent}`);
  }

  function answer(call, index, act, thoughts) {
    if (typeof call.text !== "string") return null;
    // As the model wrote it, its answer may hold the scratchpad.
    if (act.thought && !thoughts)
      return index
        ? null
        : h("p", { class: "hint" }, "The answer as written holds the scratchpad: hidden.");
    return part(
      `Answer ${index + 1} as written`,
      prose(call.text, { label: `Answer ${index + 1} of ${act.agent}`, kind: "raw" })
    );
  }

  function events(frame) {
    if (!(frame.events || []).length) return null;
    return h(
      "section",
      { class: "panel events" },
      h("h3", null, "Events"),
      h(
        "ul",
        null,
        frame.events.map((text) => h("li", null, prose(text, { label: "Event", kind: "event" })))
      )
    );
  }

  function contract(frame, { whole = false } = {}) {
    const ledger = Object.entries(frame.ledger || {});
    if (!frame.contract && !ledger.length) return null;
    return h(
      "section",
      { class: "panel contract" },
      h("h3", null, "Contract in force"),
      frame.contract
        ? prose(frame.contract, { label: "Contract in force", kind: "terms", whole })
        : h("p", { class: "hint" }, "none"),
      ledger.length
        ? [
            h("h4", null, "Ledger: received minus paid so far"),
            facts(
              ledger.map(([agent, net]) => [name(agent), signed(net)]),
              { class: "facts ledger" }
            ),
          ]
        : null
    );
  }

  // In a few words, for who listens.
  function summary(frame) {
    const acts = frame.acts.map(
      (act) => `${act.agent} ${act.did}${act.status === "ok" ? "" : ", malformed"}`
    );
    return cw.chart.short([frame.title, ...acts].join(". "), 240);
  }

  // The frames worth a look, by index. Where most frames have events, these tell nothing.
  function marks(frames) {
    const hasEvents = (frame) => (frame.events || []).length > 0;
    const isRare = frames.filter(hasEvents).length <= frames.length / 2;
    const found = new Map();
    frames.forEach((frame, index) => {
      if (frame.acts.some((act) => act.status !== "ok" || act.illegal)) found.set(index, "bad");
      else if (isRare && hasEvents(frame)) found.set(index, "event");
    });
    return found;
  }

  cw.frame = { render, events, contract, summary, marks };
})(commonweal);
