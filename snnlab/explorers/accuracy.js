// Accuracy over images in the page: the converted network (engine.js) runs over all of them, a few at a time, for each
// setting of the knobs; the curve settles as they come.

const CONTROLS = {
  t: { label: say("step shown, t"), min: 1, max: 64, step: 1 },
  scale: { label: say("threshold scale"), min: 0.125, max: 2, step: 0.125 },
  shift: { label: say("v[0] moved by, in θ"), min: -1, max: 1, step: 0.0625 },
};
const SLICE = 40; // milliseconds of work before the page may answer again
const HEIGHT = 300;

// The networks, the images, and how many of them each step of the settings shown last gets right.
function tally(get) {
  const { networks, samples, entry, snn, ann } = opened(get);
  const [T, answers] = [get("T"), new Map()];
  let run = { settings: "" };

  function counted({ method, scale, shift }) {
    const settings = JSON.stringify([method, scale, shift]);
    if (run.settings !== settings) run = { settings, method, scale, shift, seen: 0, right: new Array(T).fill(0) };
    return run;
  }

  // Some images more.
  function work() {
    const net = snn(run.method);
    for (const end = performance.now() + SLICE; run.seen < samples.length && performance.now() < end; run.seen++) {
      const { image, label } = samples[run.seen];
      const one = begun(net, image, run);
      for (let t = 0; t < T; t++) {
        advance(one);
        if (best([...one.total]) === label) run.right[t]++;
      }
    }
  }

  // How many images the network's ANN gets right.
  function rightOfAnn(method) {
    const { ann: number } = entry(method);
    if (!answers.has(number)) answers.set(number, samples.filter(({ image, label }) => best(forward(ann(number), image)) === label).length);
    return answers.get(number);
  }

  return { networks, T, images: samples.length, entry, counted, work, rightOfAnn };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function describe(p, run, ann, { images }) {
  const shown = run.seen < images ? say("{seen} of {images} test images so far", { seen: run.seen, images }) : say("{images} test images", { images });
  const given = { steps: stepsSaid(p.t), method: p.method, right: percent(run.right[p.t - 1] / run.seen), shown, ann: percent(ann / images) };
  return together(
    say("After {steps} the spiking network of {method} gets {right} of {shown} right, the ANN {ann}.", given),
    say("A neuron’s mean output is a multiple of its threshold / {t}.", p),
  );
}

function picture(p, run, ann, { T, images }, width) {
  const x = scale(0, T, MARGIN.left, width - 30);
  const y = scale(0, 105, HEIGHT - 50, 24);
  const points = run.right.map((right, t) => [x(t + 1), y((100 * right) / run.seen)].map((at) => at.toFixed(1)).join());
  const [left, top] = points[p.t - 1].split(",");
  return `<text class="title" x="${MARGIN.left - 30}" y="12">${say("accuracy [%]")}</text>
    ${axis(y, [0, 100], width)}${level(y, (100 * ann) / images, width - 16, "relu", "ANN")}
    <path class="trace" d="M${points.join("L")}"/><circle class="at" r="5" cx="${left}" cy="${top}"/>
    ${stepAxis(x, T, width, HEIGHT - 28)}
    <text class="tick" x="${width - 14}" y="${HEIGHT - 10}" text-anchor="end">${say("step t")}</text>`;
}

const STYLE = ".snnlab-accuracy .at { fill: var(--theta); }";

function render({ model, el }) {
  const all = tally((name) => model.get(name));
  let [timer, redraw] = [0, () => {}];
  const down = mountExplorer({ model, el }, {
    name: "accuracy",
    aria: say("Accuracy over the steps, the ANN's beside"),
    controls: { method: { label: say("method"), options: Object.fromEntries(all.networks.map(({ name }) => [name, name])) }, ...CONTROLS, t: { ...CONTROLS.t, max: all.T } },
    style: STYLE,
    height: () => HEIGHT,
    shown: (name, p) => name !== "scale" || all.entry(p.method).scalable,
    changed: (name, p) => (name === "method" && !all.entry(p.method).scalable ? { scale: 1 } : {}),
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
      const ann = all.rightOfAnn(p.method);
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
