// An episode, frame by frame.
(function (cw) {
  "use strict";

  const { h, button, facts, folded, errorBox } = cw.elements;
  const { name, visible, prose, count } = cw.words;

  const STATES = { cleanup: () => cw.cleanup, negotiation: () => cw.negotiation };

  let thoughts = false; // hidden until somebody asks, in every episode
  const shown = {}; // what was chosen to be shown of a state, kept from episode to episode

  class Reader {
    constructor(transcript, route, selection) {
      this.transcript = transcript;
      this.frames = transcript.frames;
      this.marks = cw.frame.marks(transcript.frames);
      this.filters = route.filters;
      this.all = route.all;
      this.selection = selection;
      this.at = this.clamp(route.frame);
      this.thoughts = thoughts;
      this.controls = new cw.Controls(this);
      this.acts = h("section", {
        class: "acts",
        "aria-label": "What the agents saw, thought, said and did",
      });
      this.state = h("aside", { class: "state", "aria-label": "State of the game" });
      this.element = h(
        "div",
        { class: "transcript" },
        this.head(),
        this.controls.element,
        h("div", { class: "columns" }, this.acts, this.state)
      );
      this.width = 0;
      this.observer = new ResizeObserver(() => this.resized());
      this.observer.observe(this.state);
    }

    get last() {
      return Math.max(0, this.frames.length - 1);
    }

    get frame() {
      return this.frames[this.at];
    }

    clamp(at) {
      return Math.max(0, Math.min(this.last, at));
    }

    head() {
      const { transcript } = this;
      return h(
        "header",
        { class: "lead" },
        h(
          "div",
          { class: "title-row" },
          h("h1", { tabindex: "-1" }, `Episode ${count(transcript.number)}`),
          this.neighbours()
        ),
        facts(
          [
            ["Arena", name(transcript.arena)],
            ["Policy", name(transcript.policy)],
            ["Condition", name(transcript.contract)],
            ["Episode of its cell", transcript.episode],
            ["Seed", transcript.seed],
          ],
          { class: "facts" }
        ),
        facts(
          (transcript.outcome || []).map(({ label, value }) => [label, visible(String(value))]),
          { class: "facts outcome" }
        ),
        this.rules()
      );
    }

    neighbours() {
      const numbers = this.selection ? this.selection.numbers(this.filters) : [];
      const place = numbers.indexOf(this.transcript.number);
      const turn = (label, by) =>
        button(label, () => this.turnTo(by), {
          data: { key: `turn${by}` },
          disabled: this.neighbour(by) === null,
        });
      this.copy = button("Copy link", () => this.copyLink(), { data: { key: "copy" } });
      return h(
        "div",
        { class: "neighbours" },
        h("a", { href: cw.route.episodes(this.filters) }, "All episodes"),
        turn("‹ Previous", -1),
        h(
          "span",
          { class: "hint" },
          place >= 0 ? `${count(place + 1)} of ${count(numbers.length)}` : ""
        ),
        turn("Next ›", 1),
        this.copy
      );
    }

    rules() {
      const told = Object.entries(this.transcript.rules || {});
      if (!told.length) return null;
      return folded(
        "Rules as told to each agent",
        false,
        told.map(([agent, text]) =>
          h(
            "div",
            { class: "part" },
            h("h4", null, name(agent)),
            prose(text, { label: `Rules of ${agent}`, kind: "saw" })
          )
        )
      );
    }

    neighbour(by) {
      const numbers = this.selection ? this.selection.numbers(this.filters) : [];
      const place = numbers.indexOf(this.transcript.number);
      const found = place < 0 ? undefined : numbers[place + by];
      return found === undefined ? null : found;
    }

    turnTo(by) {
      const next = this.neighbour(by);
      if (next !== null)
        cw.route.go(cw.route.episode(next, { filters: this.filters, all: this.all }));
    }

    goTo(at) {
      const to = this.clamp(at);
      if (to === this.at) return;
      this.at = to;
      this.draw();
      if (!this.controls.isPlaying) this.announce();
      this.restate();
    }

    nextMarked() {
      return [...this.marks.keys()].find((index) => index > this.at) ?? this.at;
    }

    showThoughts(on) {
      this.thoughts = thoughts = on;
      this.drawAll();
      this.draw();
    }

    showAll(on) {
      this.all = on;
      this.drawAll();
      this.draw();
      this.restate();
    }

    restate() {
      cw.route.restate(this.hash({ filters: this.filters, all: this.all }));
    }

    hash(more) {
      return cw.route.episode(this.transcript.number, { frame: this.at, ...more });
    }

    announce() {
      if (this.frame)
        document.getElementById("announced").textContent = cw.frame.summary(this.frame);
    }

    resized() {
      const width = this.state.clientWidth;
      if (width && width !== this.width) {
        this.width = width;
        this.drawState();
      }
    }

    draw() {
      if (!this.frame) {
        this.acts.replaceChildren(h("p", { class: "note" }, "This episode has no frames."));
        return;
      }
      this.controls.show(this.at, this.frame.title);
      this.element.classList.toggle("all", this.all);
      if (this.all) this.markCurrent();
      else keepingFocus(this.acts, () => this.drawActs());
      this.drawState();
    }

    drawActs() {
      this.acts.replaceChildren(h("h2", { class: "frame-title" }, visible(this.frame.title)));
      this.acts.append(
        ...cw.frame
          .render(this.transcript, this.frame, { thoughts: this.thoughts })
          .flat()
          .filter(Boolean)
      );
    }

    // All frames below one another: chosen by a switch, and for print.
    drawAll() {
      if (!this.all) return;
      this.acts.replaceChildren(
        h(
          "ol",
          { class: "whole" },
          this.frames.map((frame, index) => this.wholeFrame(frame, index))
        )
      );
    }

    wholeFrame(frame, index) {
      return h(
        "li",
        { data: { frame: index } },
        h("h2", { class: "frame-title" }, visible(frame.title)),
        cw.frame.events(frame),
        cw.frame.render(this.transcript, frame, { thoughts: this.thoughts, whole: true }),
        this.contractIfNew(frame, index)
      );
    }

    contractIfNew(frame, index) {
      const before = index ? this.frames[index - 1].contract : null;
      return frame.contract !== before || index === this.last
        ? cw.frame.contract(frame, { whole: true })
        : null;
    }

    markCurrent() {
      if (!this.acts.querySelector(".whole")) this.drawAll();
      const before = this.acts.querySelector("[aria-current]");
      const now = this.acts.querySelector(`[data-frame="${this.at}"]`);
      if (before) before.removeAttribute("aria-current");
      now.setAttribute("aria-current", "step");
      if (document.body.contains(now)) now.scrollIntoView({ block: "nearest" });
    }

    drawState() {
      if (!this.frame) return;
      const game = STATES[this.transcript.game];
      const options = {
        width: (this.width || 560) - 34,
        goTo: (at) => this.controls.step(at),
        shown,
        redraw: () => this.drawState(),
      };
      const parts = [
        h("h2", { class: "state-title" }, "State: ", visible(this.frame.title)),
        cw.frame.events(this.frame),
        game ? game().render(this.transcript, this.frame, options) : null,
        cw.frame.contract(this.frame),
      ];
      keepingFocus(this.state, () => this.state.replaceChildren(...parts.flat().filter(Boolean)));
    }

    async copyLink() {
      const link = location.href.replace(/#.*$/, "") + this.hash();
      try {
        await navigator.clipboard.writeText(link);
        this.copy.replaceChildren("Copied");
        document.getElementById("announced").textContent = "Link copied";
        setTimeout(() => this.copy.replaceChildren("Copy link"), 2000);
      } catch {
        // Without leave to write to the clipboard, the link is there to be copied by hand.
        const field = h("input", {
          class: "link",
          readonly: true,
          value: link,
          "aria-label": "Link to this frame",
        });
        this.copy.after(field);
        field.select();
        field.addEventListener("blur", () => field.remove());
      }
    }

    beforePrint() {
      if (this.all || !this.frame) return;
      this.printed = h(
        "ol",
        { class: "whole" },
        this.frames.map((frame, index) => this.wholeFrame(frame, index))
      );
      this.element.classList.add("printed");
      this.element.append(this.printed);
    }

    afterPrint() {
      if (this.printed) this.printed.remove();
      this.printed = null;
      this.element.classList.remove("printed");
    }

    close() {
      this.controls.pause();
      this.observer.disconnect();
    }
  }

  // Draw anew, and give the focus back to what had it.
  function keepingFocus(container, draw) {
    const active = container.contains(document.activeElement) ? document.activeElement : null;
    const holder = active && active.closest("[data-key]");
    const key = holder && holder.dataset.key;
    const scrolled = new Map(
      Array.from(container.querySelectorAll(".scrolls"), (box, i) => [i, box.scrollLeft])
    );
    draw();
    container
      .querySelectorAll(".scrolls")
      .forEach((box, i) => (box.scrollLeft = scrolled.get(i) || 0));
    const again = key && container.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again) again.focus({ preventScroll: true });
  }

  async function open(route, run, selection) {
    const total = selection ? selection.rows.length : run.num_episodes;
    if (route.episode === null || route.episode >= total) {
      const last = count(Math.max(0, total - 1));
      const error = new cw.data.DataError(
        "There is no such episode",
        `This run has the episodes 0 to ${last}.`
      );
      return { element: errorBox(error), close() {} };
    }
    const reader = new Reader(
      await cw.data.transcript(route.episode, run.pack_size),
      route,
      selection
    );
    reader.drawAll();
    reader.draw();
    return reader;
  }

  cw.transcript = { open, keepingFocus };
})(commonweal);
