// What steps through a transcript: buttons, slider, marks, pace, switches, keys.
(function (cw) {
  "use strict";

  const { h, svg, button, labelled, choice } = cw.elements;

  const PACES = [
    ["500", "½ s"],
    ["1000", "1 s"],
    ["2000", "2 s"],
    ["4000", "4 s"],
  ];

  const KEYS = [
    ["←, →", "previous, next frame"],
    ["Home, End", "first, last frame"],
    ["N", "next frame with an event or a malformed answer"],
    ["P", "play, pause"],
    ["J or ]", "next episode of the list you came from"],
    ["K or [", "previous episode"],
    ["S", "show or hide scratchpads"],
    ["A", "one frame, or all below one another"],
    ["?", "this help"],
  ];

  const prefersStill = matchMedia("(prefers-reduced-motion: reduce)");
  let pace = prefersStill.matches ? "4000" : "1000";

  class Controls {
    // `reader` is what is controlled: see transcript.js.
    constructor(reader) {
      this.reader = reader;
      this.timer = null;
      const last = reader.last;
      this.position = h("output", { class: "position" });
      this.slider = h("input", {
        type: "range",
        min: 0,
        max: last,
        step: 1,
        value: 0,
        "aria-label": "Frame",
      });
      this.slider.addEventListener("input", () => this.step(Number(this.slider.value)));
      this.playButton = button("▶ Play", () => this.togglePlay(), {
        class: "play",
        data: { key: "play" },
      });
      const jump = (label, spoken, to) =>
        button(label, () => this.step(to()), {
          "aria-label": spoken,
          title: spoken,
          class: "jump",
        });
      this.buttons = [
        jump("⏮", "First frame", () => 0),
        jump("◀", "Previous frame", () => reader.at - 1),
        this.playButton,
        jump("▶", "Next frame", () => reader.at + 1),
        jump("⏭", "Last frame", () => last),
      ];
      this.thoughts = this.toggle("Scratchpads", reader.thoughts, (on) => reader.showThoughts(on));
      this.all = this.toggle("All frames", reader.all, (on) => reader.showAll(on));
      this.help = helpDialog();
      this.element = this.layOut();
    }

    layOut() {
      const paces = choice(PACES, pace, (value) => {
        pace = value;
        if (this.timer) (this.pause(), this.play());
      });
      return h(
        "div",
        { class: "controls", role: "group", "aria-label": "Step through the episode" },
        h(
          "div",
          { class: "row" },
          h("div", { class: "buttons" }, this.buttons),
          this.position,
          h("div", { class: "track" }, this.slider, strip(this.reader))
        ),
        h(
          "div",
          { class: "row options" },
          labelled("Pace", paces),
          this.thoughts.label,
          this.all.label,
          button("Keys", () => this.help.showModal(), { class: "quiet", "aria-haspopup": "dialog" })
        ),
        this.help
      );
    }

    toggle(text, isOn, act) {
      const input = h("input", { type: "checkbox", role: "switch", checked: isOn });
      input.addEventListener("change", () => act(input.checked));
      return { input, label: h("label", { class: "switch" }, input, h("span", null, text)) };
    }

    step(to) {
      this.pause();
      this.reader.goTo(to);
    }

    show(at, title) {
      const { last } = this.reader;
      this.slider.value = at;
      this.slider.setAttribute("aria-valuetext", `${title}, frame ${at} of 0 to ${last}`);
      this.position.replaceChildren(h("b", null, title), h("span", null, `frame ${at} / ${last}`));
      const ends = [at === 0, at === 0, last === 0, at === last, at === last];
      // A disabled button loses the focus, and with it the keyboard its place.
      this.buttons.forEach((one, index) => one.setAttribute("aria-disabled", String(ends[index])));
    }

    get isPlaying() {
      return this.timer !== null;
    }

    togglePlay() {
      if (this.isPlaying) this.pause();
      else this.play();
    }

    play() {
      if (this.reader.at === this.reader.last) this.reader.goTo(0);
      this.timer = setInterval(() => {
        if (this.reader.at >= this.reader.last) this.pause();
        else this.reader.goTo(this.reader.at + 1);
      }, Number(pace));
      this.playButton.replaceChildren("⏸ Pause");
    }

    pause() {
      if (!this.isPlaying) return;
      clearInterval(this.timer);
      this.timer = null;
      this.playButton.replaceChildren("▶ Play");
      this.reader.announce();
    }

    // Returns whether the key meant something here.
    key(event) {
      const { reader } = this;
      const isTyping = event.target.closest("input, select, textarea, dialog");
      if (isTyping && !event.target.matches("input[type=checkbox], input[type=range]"))
        return false;
      if (event.target === this.slider && event.key.length > 1) return false;
      if (scrollsItself(event)) return false;
      const acts = {
        ArrowLeft: () => this.step(reader.at - 1),
        ArrowRight: () => this.step(reader.at + 1),
        Home: () => this.step(0),
        End: () => this.step(reader.last),
        n: () => this.step(reader.nextMarked()),
        p: () => this.togglePlay(),
        j: () => reader.turnTo(1),
        "]": () => reader.turnTo(1),
        k: () => reader.turnTo(-1),
        "[": () => reader.turnTo(-1),
        s: () => this.thoughts.input.click(),
        a: () => this.all.input.click(),
        "?": () => this.help.showModal(),
      };
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (!Object.hasOwn(acts, key)) return false;
      acts[key]();
      return true;
    }
  }

  // A box that scrolls keeps the keys that scroll it.
  function scrollsItself({ target, key }) {
    if (!target.matches("[tabindex='0']")) return false;
    if (key.startsWith("Arrow")) return target.scrollWidth > target.clientWidth;
    return (key === "Home" || key === "End") && target.scrollHeight > target.clientHeight;
  }

  // Marks of frames that are worth a look, below the slider; the key N goes through them.
  function strip(reader) {
    const width = 1000;
    const x = (index) => (reader.last ? (width * index) / reader.last : 0);
    return svg(
      "svg",
      {
        class: "strip",
        viewBox: `0 0 ${width} 10`,
        preserveAspectRatio: "none",
        "aria-hidden": "true",
      },
      [...reader.marks].map(([index, kind]) =>
        svg("rect", {
          class: kind,
          x: x(index) - 2,
          y: kind === "bad" ? 0 : 3,
          width: 4,
          height: kind === "bad" ? 10 : 7,
        })
      )
    );
  }

  function helpDialog() {
    const dialog = h(
      "dialog",
      { class: "help", "aria-label": "Keys" },
      h("h2", null, "Keys"),
      h(
        "dl",
        null,
        KEYS.map(([keys, what]) =>
          h("div", null, h("dt", null, h("kbd", null, keys)), h("dd", null, what))
        )
      ),
      h(
        "p",
        { class: "hint" },
        "Below the slider, tall marks are malformed or impossible answers, short ones events. " +
          "Press or drag in a chart to go there."
      ),
      button("Close", () => dialog.close())
    );
    return dialog;
  }

  cw.Controls = Controls;
})(commonweal);
