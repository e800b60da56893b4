// Where an image is drawn, with mouse, finger or keys.

const FINE = 4; // a pixel of the image is so many of the drawing's, as in the data set of the digits
const BRUSH = 2.6; // radius, in the drawing's pixels

// The drawing behind an image of one channel: FINE x FINE points a pixel, 0 or 1; a pixel is the share that is inked.
function drawing([, h, w], largest) {
  const ink = new Uint8Array(h * w * FINE * FINE);
  const pixels = () =>
    Array.from({ length: h * w }, (_, i) => {
      let count = 0;
      for (let k = 0; k < FINE * FINE; k++) count += ink[(Math.floor(i / w) * FINE + Math.floor(k / FINE)) * w * FINE + (i % w) * FINE + (k % FINE)];
      return Math.fround((count / (FINE * FINE)) * largest);
    });
  // A stroke from one point to the next, in pixels of the image.
  function stroke([x0, y0], [x1, y1]) {
    const steps = Math.ceil(Math.hypot(x1 - x0, y1 - y0) * FINE) + 1;
    for (let s = 0; s <= steps; s++) {
      const [x, y] = [(x0 + ((x1 - x0) * s) / steps) * FINE, (y0 + ((y1 - y0) * s) / steps) * FINE];
      for (let i = Math.max(0, Math.floor(y - BRUSH)); i < Math.min(h * FINE, y + BRUSH); i++)
        for (let j = Math.max(0, Math.floor(x - BRUSH)); j < Math.min(w * FINE, x + BRUSH); j++)
          if ((i + 0.5 - y) ** 2 + (j + 0.5 - x) ** 2 < BRUSH ** 2) ink[i * w * FINE + j] = 1;
    }
  }
  // All points of one pixel, on or off.
  function turn(row, column) {
    const places = Array.from({ length: FINE * FINE }, (_, k) => (row * FINE + Math.floor(k / FINE)) * w * FINE + column * FINE + (k % FINE));
    const on = places.every((place) => ink[place]) ? 0 : 1;
    for (const place of places) ink[place] = on;
  }
  return { pixels, stroke, turn, clear: () => ink.fill(0) };
}

// Listens to mouse, finger and keys on the pad; `changed` is called with the new pixels.
function listen(pad, shape, largest, changed) {
  const [, h, w] = shape;
  const sketch = drawing(shape, largest);
  const cursor = { row: Math.floor(h / 2), column: Math.floor(w / 2) };
  let last = null;
  const where = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * w, ((event.clientY - box.top) / box.height) * h];
  };
  function draw(event) {
    const here = where(event);
    sketch.stroke(last ?? here, here);
    last = here;
    changed(sketch.pixels());
  }
  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.focus();
    draw(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (last) draw(event);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"])
    pad.addEventListener(name, () => {
      last = null;
    });
  pad.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) [cursor.row, cursor.column] = [(cursor.row + step[0] + h) % h, (cursor.column + step[1] + w) % w];
    else if (event.key === " " || event.key === "Enter") {
      sketch.turn(cursor.row, cursor.column);
      changed(sketch.pixels());
    } else return;
    event.preventDefault();
    pad.dispatchEvent(new Event("moved"));
  });
  return { cursor, clear: () => sketch.clear() };
}
