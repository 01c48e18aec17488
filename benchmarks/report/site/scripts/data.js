// Data files are scripts that call `commonweal.receive(name, value)`: a page from disk may load
// scripts beside it, and may not fetch.
(function (cw) {
  "use strict";

  const PACKS_KEPT = 4;
  const OURS = /^data\/(run|episodes|transcripts\/\d{5,})\.js$/;

  const waiting = new Map(); // name -> {promise, resolve, reject}
  const packs = new Map(); // name -> promise, the one used last at the end

  // Where the browser knows trusted types, nothing but these files can become a script.
  const policy = window.trustedTypes
    ? window.trustedTypes.createPolicy("commonweal", { createScriptURL: refuseForeign })
    : { createScriptURL: refuseForeign };

  class DataError extends Error {
    constructor(title, wanted) {
      super(title);
      this.wanted = wanted;
    }
  }

  function refuseForeign(url) {
    if (!OURS.test(url)) throw new TypeError(`${url} is no data file of a report`);
    return url;
  }

  function receive(name, value) {
    const asked = waiting.get(name);
    if (asked) asked.resolve(value);
  }

  function load(name) {
    const known = waiting.get(name);
    if (known) return known.promise;
    const asked = {};
    asked.promise = new Promise((resolve, reject) => Object.assign(asked, { resolve, reject }));
    waiting.set(name, asked);
    const script = document.createElement("script");
    const file = `data/${name}.js`;
    const fail = () => {
      waiting.delete(name);
      asked.reject(
        new DataError(
          `${file} did not load`,
          "It belongs into the report's folder: copy the folder as a whole, or write it again " +
            "with “commonweal report”."
        )
      );
    };
    script.addEventListener("error", () => (script.remove(), fail()));
    // After the load event of a whole file its value is there, and rejecting changes nothing.
    script.addEventListener("load", () => (script.remove(), asked.reject(brokenFile(file))));
    script.src = policy.createScriptURL(file);
    document.head.append(script);
    return asked.promise;
  }

  function brokenFile(file) {
    return new DataError(
      `${file} is broken`,
      "It was loaded and did not hold what it should: write the report again with " +
        "“commonweal report”."
    );
  }

  async function transcript(number, packSize) {
    if (!("DecompressionStream" in window)) {
      throw new DataError(
        "This browser cannot unpack transcripts",
        "They need DecompressionStream: Chrome or Edge 80, Firefox 113, Safari 16.4, or newer. " +
          "The overview and the table of episodes work without."
      );
    }
    const name = `transcripts/${String(Math.floor(number / packSize)).padStart(5, "0")}`;
    const packed = (await pack(name))[number % packSize];
    if (typeof packed !== "string") throw brokenFile(`data/${name}.js`);
    try {
      return await unpack(packed);
    } catch {
      throw brokenFile(`data/${name}.js`);
    }
  }

  function pack(name) {
    const promise = packs.get(name) || load(name);
    packs.delete(name);
    packs.set(name, promise);
    promise.catch(() => packs.delete(name)); // to be tried again when it is next wanted
    for (const old of packs.keys()) {
      if (packs.size <= PACKS_KEPT) break;
      packs.delete(old);
      waiting.delete(old);
    }
    return promise;
  }

  function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  cw.receive = receive;
  cw.data = { load, transcript, DataError };
})(commonweal);
