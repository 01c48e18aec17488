// How numbers and foreign texts are written.
(function (cw) {
  "use strict";

  const { h, button } = cw.elements;

  const SHOWN_AT_ONCE = 6000; // characters; more would make stepping slow
  const LONG = 1200; // characters from which a text scrolls in its box

  // What cannot be seen, or changes the order in which the rest is seen: controls other than line
  // feed and tab, marks of direction, joiners of words, tags, and halves of surrogate pairs.
  const UNSEEN = new RegExp(
    "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e" +
      "\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]+|\\p{Surrogate}+",
    "gu"
  );

  const CONTROLS = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI " +
    "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
  ).split(" ");

  function nameOf(char) {
    const code = char.codePointAt(0);
    if (code < CONTROLS.length) return `[${CONTROLS[code]}]`;
    return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  }

  function visible(text) {
    const parts = document.createDocumentFragment();
    let end = 0;
    for (const match of text.matchAll(UNSEEN)) {
      if (match.index > end) parts.append(text.slice(end, match.index));
      const names = Array.from(match[0], nameOf).join("");
      parts.append(h("span", { class: "unseen", title: "characters that cannot be seen" }, names));
      end = match.index + match[0].length;
    }
    parts.append(text.slice(end));
    return parts;
  }

  function lines(text) {
    return String(text).replaceAll("\r\n", "\n");
  }

  // A short foreign text in a line of ours: its direction stays its own.
  function name(text) {
    return h("bdi", { class: "name" }, visible(lines(text)));
  }

  // A foreign text of any length in a box of its own; `whole` for print.
  function prose(text, { label, whole = false, kind = "" }) {
    const all = lines(text);
    const isLong = all.length > LONG || all.split("\n", 25).length > 24;
    const attributes = isLong && !whole ? { tabindex: 0, role: "group", "aria-label": label } : {};
    const box = h("div", { class: `prose ${kind}`, dir: "auto", ...attributes });
    if (whole || all.length <= SHOWN_AT_ONCE) {
      box.append(visible(all));
      return box;
    }
    box.append(visible(all.slice(0, SHOWN_AT_ONCE)), " …");
    const rest = button(`Show all ${count(all.length)} characters`, () => {
      box.replaceChildren(visible(all));
      box.focus();
      rest.remove();
    });
    return h("div", { class: "cut" }, box, rest);
  }

  function count(value) {
    return value.toLocaleString("en-US");
  }

  function number(value, digits = 2) {
    if (value === null || value === undefined) return "–";
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return value.toLocaleString("en-US", options).replace(/^-/, "\u2212");
  }

  // As many decimals as the value has, two at most.
  function plain(value) {
    if (value === null || value === undefined) return "–";
    return value.toLocaleString("en-US", { maximumFractionDigits: 2 }).replace(/^-/, "\u2212");
  }

  function signed(value) {
    return (value > 0 ? "+" : "") + plain(value);
  }

  function duration(seconds) {
    if (seconds === null || seconds === undefined) return null;
    if (seconds < 90) return `${number(seconds, 1)} s`;
    if (seconds < 5400) return `${number(seconds / 60, 1)} min`;
    return `${number(seconds / 3600, 1)} h`;
  }

  cw.words = { visible, name, prose, count, number, plain, signed, duration };
})(commonweal);
