// SPDX-License-Identifier: Apache-2.0
"use strict";
// What all parts of the page share: the data, elements, numbers as text, colours, messages between parts.

const report = {
  data: JSON.parse(document.getElementById("data").textContent),
  pointColors: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9"],
};

report.byId = (id) => document.getElementById(id);

/** An element with properties, and children that are elements or text (never markup). */
report.element = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

/** Bytes of a packed array (base64 of gzip), or null where the report has none of that name. */
report.bytes = async (name) => {
  const holder = name && report.byId("blob-" + name);
  if (!holder) return null;
  const text = atob(holder.textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

/** "–" for what is not known. */
report.number = (value, digits = 2) =>
  typeof value === "number" && Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–";

/** Three figures, without an exponent where a reader can do without. */
report.figures = (value) => {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text.replace("-", "−");
};

report.counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

report.duration = (seconds) => {
  if (typeof seconds !== "number") return "–";
  if (seconds < 60) return `${report.number(seconds, 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

{
  const listeners = new Map();
  report.on = (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]);
  report.emit = (event, value) => (listeners.get(event) ?? []).forEach((listener) => listener(value));
}

/** A colour of the style sheet, as it is in the theme of now. */
report.color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

/** Calls `draw` once before the next frame, however often it is asked to. */
report.onceAFrame = (draw) => {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
};

/** A button that moves a range input on and on until it is pressed again. */
report.makePlayer = (button, range, milliseconds) => {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
    button.setAttribute("aria-pressed", "false");
  };
  const next = () => {
    range.value = Number(range.value) >= Number(range.max) ? range.min : Number(range.value) + 1;
    range.dispatchEvent(new Event("input"));
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    next();
    timer = setInterval(next, milliseconds);
    button.textContent = "Pause";
    button.setAttribute("aria-pressed", "true");
  });
  range.addEventListener("pointerdown", stop);
  range.addEventListener("keydown", stop);
};

{
  const select = report.byId("theme");
  const stored = () => {
    try {
      return localStorage.getItem("dsasrgs-report-theme") ?? "auto";
    } catch {
      return "auto"; // a browser that keeps nothing for files
    }
  };
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    report.emit("theme");
  };
  select.value = stored();
  if (select.selectedIndex < 0) select.value = "auto";
  apply(select.value);
  select.addEventListener("change", () => {
    try {
      localStorage.setItem("dsasrgs-report-theme", select.value);
    } catch {
      // It holds for this visit.
    }
    apply(select.value);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => report.emit("theme"));
}
