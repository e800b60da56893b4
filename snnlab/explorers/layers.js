// The layers of a network as they are: a small picture for each map, a square for each neuron; and the image.

const MAPS = 64; // shown of a layer

// How a layer is laid out: maps beside one another, each h x w; neurons without places in one map, about square.
function sheet(shape, room) {
  const [maps, places] = shape.length === 1 ? [1, [Math.ceil(shape[0] / Math.ceil(Math.sqrt(shape[0]))), Math.ceil(Math.sqrt(shape[0]))]] : [Math.min(shape[0], MAPS), shape.slice(1)];
  const [h, w] = places.length === 1 ? [1, places[0]] : [product(places.slice(0, -1)), places.at(-1)];
  const cell = Math.max(2, Math.min(shape.length === 1 ? 10 : 5, Math.floor(room / (w + 1))));
  const fit = Math.max(1, Math.floor((room + 3) / (w * cell + 3)));
  const columns = Math.min(maps, fit, Math.max(1, 2 ** Math.ceil(Math.log2(Math.sqrt(maps * 2)))));
  return { maps, h, w, cell, columns, width: columns * (w * cell + 3) - 3, height: Math.ceil(maps / columns) * (h * cell + 3) - 3 };
}

// Potentials as shades up to the threshold; a spike fills its square and has a point in it, one taken back has a hole.
function paintLayer(canvas, { each, states }, { maps, h, w, cell, columns, width, height }, colours) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  let now = "";
  for (let i = 0; i < Math.min(states.length, maps * h * w); i++) {
    const [map, place] = [Math.floor(i / (h * w)), i % (h * w)];
    const x = (map % columns) * (w * cell + 3) + (place % w) * cell;
    const y = Math.floor(map / columns) * (h * cell + 3) + Math.floor(place / w) * cell;
    const { v, spike } = states[i];
    const level = Math.max(0, Math.min(1, v / each[i].threshold)) || 0;
    const colour = spike > 0 ? colours.spike : spike < 0 ? colours.back : colours.shades[Math.round(level * 16)];
    if (colour !== now) context.fillStyle = now = colour; // the browser reads its name anew each time
    context.fillRect(x, y, cell, cell);
    if (spike === 0 || cell < 4) continue;
    context.fillStyle = now = spike > 0 ? colours.ink : colours.paper;
    context.fillRect(x + Math.floor(cell / 2) - 1, y + Math.floor(cell / 2) - 1, 2, 2);
  }
}

function paintImage(canvas, pixels, [channels, h, w], largest, colours) {
  [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  for (let i = 0; i < h * w; i++) {
    let mean = 0;
    for (let c = 0; c < channels; c++) mean += pixels[c * h * w + i] / channels;
    context.fillStyle = colours.greys[Math.round(Math.max(0, Math.min(1, mean / largest)) * 16)];
    context.fillRect(i % w, Math.floor(i / w), 1, 1);
  }
}

// The theme's colours as they are now, mixed in 17 shades.
function coloursOf(root) {
  const style = getComputedStyle(root);
  const name = (variable) => style.getPropertyValue(variable).trim();
  const shades = (low, high) => Array.from({ length: 17 }, (_, k) => `color-mix(in srgb, ${high} ${(100 * k) / 16}%, ${low})`);
  return { ink: name("--ink"), paper: name("--paper"), spike: name("--fire"), back: name("--back"), shades: shades(name("--rest"), name("--v")), greys: shades(name("--rest"), name("--ink")) };
}
