// Elements are made from names and texts; what agents wrote only ever becomes text nodes.
(function (cw) {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") {
        for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      } else if (name === "data") {
        Object.assign(element.dataset, value);
      } else {
        element.setAttribute(name, value === true ? "" : String(value));
      }
    }
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      element.append(child instanceof Node ? child : String(child));
    }
    return element;
  }

  function h(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
  }

  function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
  }

  function button(label, act, attributes) {
    return h("button", { type: "button", ...attributes, on: { click: act } }, label);
  }

  function facts(pairs, attributes) {
    return h(
      "dl",
      attributes,
      pairs
        .filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([label, value]) => h("div", null, h("dt", null, label), h("dd", null, value)))
    );
  }

  function folded(summary, isOpen, ...children) {
    return h("details", { open: isOpen }, h("summary", null, summary), ...children);
  }

  function labelled(label, control) {
    return h("label", { class: "labelled" }, h("span", null, label), control);
  }

  function choice(options, chosen, act, attributes) {
    const select = h(
      "select",
      attributes,
      options.map(([value, label]) => h("option", { value, selected: value === chosen }, label))
    );
    select.addEventListener("change", () => act(select.value));
    return select;
  }

  function errorBox(error) {
    return h(
      "section",
      { class: "error", role: "alert" },
      h("h1", null, error.message),
      h("p", null, error.wanted || "Please report this: the viewer should not fail here.")
    );
  }

  cw.elements = { h, svg, button, facts, folded, labelled, choice, errorBox };
})(commonweal);
