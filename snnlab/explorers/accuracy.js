// Accuracy over images in the page: the converted network (engine.js) runs over all of them, a few at a time, for each
// setting of the knobs; the curve settles as they come.

export const CONTROLS = {
  t: { label: "step shown, t", min: 1, max: 64, step: 1 },
  scale: { label: "threshold scale", min: 0.125, max: 2, step: 0.125 },
  shift: { label: "v[0] moved by, in θ", min: -1, max: 1, step: 0.0625 },
};
const SLICE = 40; // milliseconds of work before the page may answer again
const HEIGHT = 300;

const best = (values) => values.indexOf(Math.max(...values));

// The networks, the images, and how many of them each step of the settings shown last gets right.
export function tally(get) {
  const [networks, anns, T] = [get("networks"), get("anns"), get("T")];
  const read = reader(get("arrays"));
  const images = get("samples").map(({ image, label }) => ({ label, pixels: Array.from({ length: product(networks[0].image) }, (_, i) => read(image)(i)) }));
  const [ready, answers] = [new Map(), new Map()];
  const make = (key, net) => ready.get(key) ?? ready.set(key, built(net, read)).get(key);
  const found = (method) => networks.find(({ name }) => name === method);
  let run = { settings: "" };

  function counted({ method, scale, shift }) {
    const settings = JSON.stringify([method, scale, shift]);
    if (run.settings !== settings) run = { settings, method, scale, shift, seen: 0, right: new Array(T).fill(0) };
    return run;
  }

  // Some images more; false once all are seen.
  function work(most = SLICE) {
    const net = make(run.method, found(run.method));
    for (const end = performance.now() + most; run.seen < images.length && performance.now() < end; run.seen++) {
      const { pixels, label } = images[run.seen];
      const one = begun(net, pixels, run);
      for (let t = 0; t < T; t++) {
        advance(one);
        if (best([...one.total]) === label) run.right[t]++;
      }
    }
    return run.seen < images.length;
  }

  // How many images the network's ANN gets right.
  function ann(method) {
    const { ann: number } = found(method);
    if (!answers.has(number)) {
      const net = make(`ANN ${number}`, anns[number]);
      answers.set(number, images.filter(({ pixels, label }) => best(forward(net, pixels)) === label).length);
    }
    return answers.get(number);
  }

  return { networks, T, images: images.length, counted, work, ann, found };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function describe(p, run, ann, { images }) {
  const so = run.seen < images ? `${run.seen} of ${images} test images so far` : `${images} test images`;
  return `After ${plural(p.t, "step")} the spiking network of ${p.method} gets ${percent(run.right[p.t - 1] / run.seen)} of ${so} right, the ANN ${percent(ann / images)}. ` +
    `A neuron’s mean output is a multiple of its threshold / ${p.t}.`;
}

function picture(p, run, ann, { T, images }, width) {
  const x = scale(0, T, MARGIN.left, width - 30);
  const y = scale(0, 105, HEIGHT - 50, 24);
  const points = run.right.map((right, t) => [x(t + 1), y((100 * right) / run.seen)].map((at) => at.toFixed(1)).join());
  const [left, top] = points[p.t - 1].split(",");
  return `<text class="title" x="${MARGIN.left - 30}" y="12">accuracy [%]</text>
    ${axis(y, [0, 100], width)}${level(y, (100 * ann) / images, width - 16, "relu", "ANN")}
    <path class="trace" d="M${points.join("L")}"/><circle class="at" r="5" cx="${left}" cy="${top}"/>
    ${stepAxis(x, T, width, HEIGHT - 28)}
    <text class="tick" x="${width - 14}" y="${HEIGHT - 10}" text-anchor="end">step t</text>`;
}

const STYLE = ".snnlab-accuracy .at { fill: var(--theta); }";

function render({ model, el }) {
  const all = tally((name) => model.get(name));
  let [timer, redraw] = [0, () => {}];
  const down = mountExplorer({ model, el }, {
    name: "accuracy",
    aria: "Accuracy over the steps, the ANN's beside",
    controls: { method: { label: "method", options: Object.fromEntries(all.networks.map(({ name }) => [name, name])) }, ...CONTROLS, t: { ...CONTROLS.t, max: all.T } },
    style: STYLE,
    height: () => HEIGHT,
    shown: (name, p) => name !== "scale" || all.found(p.method).scalable,
    changed: (name, p) => (name === "method" && !all.found(p.method).scalable ? { scale: 1 } : {}),
    wrong: () => "",
    draw: (p, width) => {
      const run = all.counted(p);
      if (run.seen === 0) all.work();
      if (run.seen < all.images && !timer)
        timer = setTimeout(() => {
          timer = 0;
          all.work();
          redraw();
        });
      const ann = all.ann(p.method);
      return [picture(p, run, ann, all, width), describe(p, run, ann, all)];
    },
    ready: (_, { draw }) => {
      redraw = draw;
      draw();
    },
  });
  return () => {
    clearTimeout(timer);
    down();
  };
}

export default { render };
