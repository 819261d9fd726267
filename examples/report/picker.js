// SPDX-License-Identifier: Apache-2.0
"use strict";
// A picture that points can be picked on, with a pointer or with the keyboard, and the list of points below it.

/**
 * A figure with a canvas and a caption. `pick(u, v)` is told places as parts of the width and height, `hover(u, v)` too
 * (null, null: none).
 */
report.makePicture = (name, { pick = null, hover = null } = {}) => {
  const canvas = report.element("canvas", { width: 1, height: 1 });
  const marks = report.element("div", { className: "marks" });
  const note = report.element("p", { className: "overlay", hidden: true });
  const cross = report.element("span", { className: "cross", hidden: true });
  const frame = report.element("div", { className: "frame" }, canvas, marks, cross, note);
  const caption = report.element("figcaption", {}, name);
  const figure = report.element("figure", {}, frame, caption);
  const picture = { canvas, figure, frame, caption, cross: [0.5, 0.5] };
  if (pick) {
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}: arrows move the cross, Enter picks the point`);
    canvas.classList.add("pickable");
  }
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const inside = (x) => Math.min(Math.max(x, 0), 0.999999);
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  };
  const showCross = (shown) => {
    cross.hidden = !shown;
    cross.style.left = `${100 * picture.cross[0]}%`;
    cross.style.top = `${100 * picture.cross[1]}%`;
  };
  canvas.addEventListener("click", (event) => pick?.(...place(event)));
  canvas.addEventListener("pointermove", (event) => hover?.(...place(event)));
  canvas.addEventListener("pointerleave", () => hover?.(null, null));
  canvas.addEventListener("blur", () => showCross(false));
  canvas.addEventListener("keydown", (event) => {
    if (!pick) return;
    const step = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) {
      const along = (axis, size) =>
        Math.min(Math.max(picture.cross[axis] + (step * move[axis]) / size, 0.5 / size), 1 - 0.5 / size);
      picture.cross = [along(0, canvas.width), along(1, canvas.height)];
      hover?.(...picture.cross);
    } else if (event.key === "Enter" || event.key === " ") {
      pick(...picture.cross);
    } else {
      return;
    }
    showCross(true);
    event.preventDefault();
  });
  /** Numbered marks at [u, v, index]. */
  picture.mark = (places) =>
    marks.replaceChildren(
      ...places.map(([u, v, index]) => {
        const mark = report.element("span", { className: "dot", textContent: String(index + 1) });
        mark.style.cssText = `left:${100 * u}%;top:${100 * v}%;background:${report.pointColors[index]}`;
        return mark;
      }),
    );
  /** A sentence in place of the picture; empty: none. */
  picture.say = (text) => {
    note.textContent = text;
    note.hidden = text === "";
  };
  return picture;
};

/** A list of at most six points with buttons that take them away; `changed` is called whenever it is another. */
report.makePoints = (holder, hint, describe, changed) => {
  const points = []; // by colour; null where one was taken away
  const list = () => points.map((point, index) => [point, index]).filter(([point]) => point);
  const show = () => {
    const chips = list().map(([point, index]) => {
      const remove = report.element("button", { type: "button", textContent: "×" });
      const text = `${index + 1}: ${describe(point)}`;
      remove.setAttribute("aria-label", `Take away point ${text}`);
      remove.addEventListener("click", () => {
        points[index] = null;
        show();
      });
      const chip = report.element("span", { className: "chip" }, text, remove);
      chip.style.borderColor = report.pointColors[index];
      return chip;
    });
    if (chips.length > 1) {
      const clear = report.element("button", { type: "button", textContent: "Take all away" });
      clear.addEventListener("click", () => {
        points.length = 0;
        show();
      });
      chips.push(clear);
    }
    holder.replaceChildren(...(chips.length ? chips : [report.element("span", { className: "fine", textContent: hint })]));
    changed(list());
  };
  return {
    list,
    show,
    add(point) {
      let index = 0;
      while (index < report.pointColors.length - 1 && points[index]) ++index; // the seventh takes the last one's place
      points[index] = point;
      show();
    },
  };
};
