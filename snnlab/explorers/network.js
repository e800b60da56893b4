// The network explorer: draw, and the converted networks (engine.js) run on the drawing step by step, beside their ANN.

export const CONTROLS = {
  coding: { label: say("the image comes"), options: { constant: say("as a constant current"), poisson: say("as noisy spikes (Poisson)") } },
  T: { label: say("steps T"), min: 1, max: 64, step: 1 },
  t: { label: say("step shown, t"), min: 1, max: 64, step: 1 },
  scale: { label: say("threshold scale"), min: 0.125, max: 2, step: 0.125 },
  shift: { label: say("v[0] moved by, in θ"), min: -1, max: 1, step: 0.0625 },
  seed: { label: say("draw of the noise"), min: 0, max: 99, step: 1 },
};
const PACE = 160; // milliseconds that a step stands when the network plays

// --- what is known of a moment ---------------------------------------------------------------------------------------

// The networks, made ready when they are first asked for, and the run that was looked at last.
function workshop(get) {
  const { networks, samples, entry, snn, ann } = opened(get);
  const answers = new Map();
  let [run, of] = [null, ""];

  // The state after t steps: as far as the last run has come, or from the beginning.
  function moment({ method, coding, t, scale, shift, seed, pixels }) {
    const net = snn(method);
    const settings = JSON.stringify([method, coding, scale, shift, coding === "poisson" && seed, pixels]);
    if (settings !== of || run.t > t) {
      const frames = coding === "poisson" ? poissonFrames(pixels, net.largest, seed) : null;
      [run, of] = [{ ...begun(net, pixels, { scale, shift, frames }), growth: [] }, settings];
    }
    while (run.t < t) {
      advance(run);
      run.growth.push(Array.from(run.total, (all) => all / run.t));
    }
    return run;
  }

  // What the ANN of a method says to the pixels; null without one.
  function answer({ method, pixels }) {
    const { ann: number } = entry(method);
    if (number === null) return null;
    const settings = JSON.stringify([number, pixels]);
    if (!answers.has(settings)) {
      answers.clear();
      answers.set(settings, forward(ann(number), pixels));
    }
    return answers.get(settings);
  }

  return { networks, samples, entry, moment, answer };
}

// Steps that are run, and the one that is shown: a network that was converted for one T runs so many.
function stepsOf(p, networks) {
  const T = networks.find(({ name }) => name === p.method)?.T ?? p.T;
  return { ...p, T, t: Math.min(p.t, T) };
}

function describe(p, run, answer, { classes, samples }) {
  const evidence = run.growth.at(-1);
  const first = best(evidence);
  const second = best(evidence.map((x, k) => (k === first ? -Infinity : x)));
  const neurons = run.neurons.reduce((all, site) => all + (site ? site.states.length : 0), 0);
  const known = samples.find(({ image, label }) => label !== null && image.every((x, i) => x === p.pixels[i]));
  const shown = known ? say("A test image of class {name}.", { name: classes[known.label] }) : p.pixels.every((x) => x === 0) ? say("The image is empty.") : "";
  const ahead = evidence[first] - evidence[second];
  const lead = { first: classes[first], second: classes[second], ahead: show(Math.round(ahead * 100) / 100) };
  const says = ahead > 0 ? say("the network says {first}, {ahead} ahead of {second}", lead) : say("no class is ahead yet");
  const now = { t: p.t, steps: stepsSaid(p.T), says, ann: answer && classes[best(answer)] };
  const both = answer ? say("After {t} of {steps} {says}; the ANN says {ann}.", now) : say("After {t} of {steps} {says}.", now);
  const sent = say("{spikes} so far, {each} per neuron.", { spikes: spikesSaid(run.spikes), each: show(Math.round((run.spikes / neurons) * 100) / 100) });
  return together(shown, both, sent, p.coding === "poisson" && say("With noise: draw {seed}.", p));
}

// --- the picture: evidence for each class, now and over the steps ----------------------------------------------------

const ROW = 17;
const CHART = { height: 170, top: 24 };
const narrow = (width) => width < 560;
const barsHeight = (classes) => 46 + ROW * classes.length;
const heightOf = (classes, width) => (narrow(width) ? barsHeight(classes) + 30 + CHART.height + 50 : Math.max(barsHeight(classes), CHART.height + 60));

function picture(p, run, answer, classes, width) {
  const split = narrow(width) ? width : Math.round(width * 0.46);
  const evidence = run.growth.at(-1);
  const at = narrow(width) ? [0, barsHeight(classes) + 14] : [split + 8, 0];
  return `${bars(evidence, answer, classes, split)}<g transform="translate(${at})">${growth(p, run.growth, answer, classes, narrow(width) ? width : width - split - 8)}</g>`;
}

const widest = (rows) => rows.flat().reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [0, 1e-9]);

function bars(evidence, answer, classes, width) {
  const left = 14 + 7.2 * Math.max(...classes.map((name) => name.length));
  const [low, high] = widest([evidence, answer ?? []]);
  const x = scale(low, high, left + 14, width - 52);
  const rows = classes.map((name, k) => {
    const y = 22 + ROW * k;
    const [from, to] = [Math.min(x(0), x(evidence[k])), Math.max(x(0), x(evidence[k]))];
    const mark = answer ? `<path class="ann" d="M${x(answer[k]).toFixed(1)},${y + 1}l5,6l-5,6l-5,-6z"/>` : "";
    const leads = k === best(evidence);
    return `<text class="${leads ? "title" : "tick"}" x="${left}" y="${y + 11}" text-anchor="end">${name}</text>
      <rect class="${leads ? "leads" : "bar"}" x="${from.toFixed(1)}" y="${y + 2}" width="${(to - from).toFixed(1)}" height="${ROW - 6}"/>${mark}
      <text class="tick" x="${width - 2}" y="${y + 11}" text-anchor="end">${evidence[k].toFixed(2).replace("-", "−")}</text>`;
  });
  const zero = `<line class="grid" x1="${x(0).toFixed(1)}" x2="${x(0).toFixed(1)}" y1="20" y2="${22 + ROW * classes.length}"/>`;
  const legend = answer ? `<path class="ann" d="M${left + 10},${barsHeight(classes) - 18}l5,6l-5,6l-5,-6z"/><text class="tick" x="${left + 20}" y="${barsHeight(classes) - 8}">${say("the ANN’s answer")}</text>` : "";
  return `<text class="title" x="0" y="12">${say("evidence, mean so far")}</text>${zero}${rows.join("")}${legend}`;
}

function growth(p, steps, answer, classes, width) {
  const span = widest([...steps, answer ?? []]);
  const x = scale(0, p.T, MARGIN.left, width - 30);
  const y = scale(span[0], span[1] * 1.05, CHART.top + CHART.height, CHART.top);
  const first = best(steps.at(-1));
  const line = (k) => `M${steps.map((values, t) => `${x(t + 1).toFixed(1)},${y(values[k]).toFixed(1)}`).join("L")}`;
  const lines = classes.map((_, k) => (k === first ? "" : `<path class="also" d="${line(k)}"/>`)).join("");
  const end = x(steps.length);
  const dots = steps.length < 3 ? classes.map((_, k) => steps.map((values, t) => `<circle class="${k === first ? "dot" : "also-dot"}" r="2.5" cx="${x(t + 1).toFixed(1)}" cy="${y(values[k]).toFixed(1)}"/>`).join("")).join("") : "";
  const wanted = answer ? level(y, answer[first], width - 16, "relu", say("{name} in the ANN", { name: classes[first] })) : "";
  return `<text class="title" x="${MARGIN.left - 30}" y="12">${say("as it grows")}</text>
    ${axis(y, [span[0], span[1] * 1.05], width)}${wanted}${lines}<path class="trace" d="${line(first)}"/>${dots}
    <text class="title name" x="${(end + 5).toFixed(1)}" y="${y(steps.at(-1)[first]).toFixed(1)}" dy="0.35em">${classes[first]}</text>
    ${stepAxis(x, p.T, width, CHART.top + CHART.height + 18)}
    <text class="tick" x="${width - 14}" y="${CHART.top + CHART.height + 34}" text-anchor="end">${say("step t")}</text>`;
}

// --- all of it -------------------------------------------------------------------------------------------------------

const STYLE = `
.snnlab-network { --fire: #e69f00; --rest: #eef1f4; }
[data-jp-theme-light="false"] .snnlab-network { --fire: #e69f00; --rest: #2b2f36; }
.snnlab-network .panes > div:last-child { display: flex; flex-wrap: wrap; gap: 12px 20px; align-content: start; }
.snnlab-network :is(svg, .says, .key) { flex: 0 0 100%; margin: 0; }
@container (max-width: 719px) { .snnlab-network :is(svg, .says) { order: 1; } .snnlab-network :is(.layer, .key) { order: 2; } }
.snnlab-network figure { margin: 0; }
.snnlab-network figcaption { font-size: 12px; color: var(--soft); margin-bottom: 3px; max-width: 100%; overflow-wrap: anywhere; }
.snnlab-network canvas { display: block; image-rendering: pixelated; }
.snnlab-network .board { position: relative; width: 160px; }
.snnlab-network .pad { width: 160px; height: auto; border: 1px solid var(--soft); box-sizing: content-box; }
.snnlab-network .pad.drawn { touch-action: none; cursor: crosshair; }
.snnlab-network .cursor { position: absolute; border: 2px solid var(--theta); box-sizing: border-box; pointer-events: none; display: none; }
.snnlab-network .pad:focus-visible ~ .cursor { display: block; }
.snnlab-network .buttons { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 6px; max-width: 170px; }
.snnlab-network button { font: inherit; color: inherit; background: var(--jp-layout-color1, #fff); border: 1px solid var(--soft);
  border-radius: 4px; padding: 2px 8px; cursor: pointer; min-height: 28px; }
.snnlab-network .samples button { padding: 1px; min-height: 0; line-height: 0; }
.snnlab-network .samples button[aria-pressed=true] { outline: 2px solid var(--theta); }
.snnlab-network .samples canvas { width: 30px; }
.snnlab-network .samples .buttons { max-width: min(220px, 100cqw - 184px); gap: 4px; margin-top: 0; }
.snnlab-network .key { font-size: 12px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 2px 14px; }
.snnlab-network .key i { display: inline-block; width: 10px; height: 10px; margin-right: 5px; vertical-align: -1px; position: relative; }
.snnlab-network .key i.point::after { content: ""; position: absolute; inset: 4px; background: var(--dot); }
.snnlab-network rect.bar { fill: var(--soft); opacity: 0.55; }
.snnlab-network rect.leads { fill: var(--v); }
.snnlab-network path.ann { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5; }
.snnlab-network .also { stroke: var(--soft); opacity: 0.5; stroke-width: 1.2; }
.snnlab-network .also-dot { fill: var(--soft); opacity: 0.5; }
`;

const key = (signed) => `<p class="key"><span><i style="background:linear-gradient(90deg,var(--rest),var(--v))"></i>${say("potential, 0 to θ")}</span>
  <span><i class="point" style="background:var(--fire);--dot:var(--ink)"></i>${say("a spike")}</span>
  ${signed ? `<span><i class="point" style="background:var(--back);--dot:var(--paper)"></i>${say("a spike taken back")}</span>` : ""}</p>`;

// What a layer is called, and what it has.
function sized(name, [n, ...size]) {
  if (!size.length) return say("{name}: {neurons}", { name, neurons: plural(n, say("{n} neuron"), say("{n} neurons")) });
  const given = { name, maps: plural(n, say("{n} map"), say("{n} maps")), size: size.join(" × "), most: MAPS };
  return n > MAPS ? say("{name}: {maps} of {size}, {most} shown", given) : say("{name}: {maps} of {size}", given);
}

// The parts between controls and picture: the pad, the buttons, the images to choose from, a canvas for each layer.
function stage(shop, classes, drawable) {
  const sites = shop.networks[0].nodes.filter(({ kind }) => kind === "neuron");
  const signed = shop.networks.some(({ nodes }) => nodes.some(({ neuron }) => (neuron?.negative ?? null) !== null));
  const named = (label, k) => (label === null ? say("test image {k}", { k: k + 1 }) : say("test image {k}, {name}", { k: k + 1, name: classes[label] }));
  const samples = shop.samples.map(({ label }, k) => `<button type="button" aria-pressed="false" aria-label="${named(label, k)}"><canvas></canvas></button>`);
  const hands = say("the image: draw with the mouse or a finger, or move with the arrow keys and ink a pixel with the space bar");
  return `<figure><figcaption>${drawable ? say("draw here") : say("the image")}</figcaption>
    <div class="board"><canvas class="pad ${drawable ? "drawn" : ""}" ${drawable ? 'tabindex="0" role="application"' : 'role="img"'} aria-label="${drawable ? hands : say("the image")}"></canvas><span class="cursor"></span></div>
    <div class="buttons"><button type="button" class="play">${say("Play")}</button><button type="button" class="step">${say("Step")}</button>${drawable ? `<button type="button" class="clear">${say("Clear")}</button>` : ""}</div></figure>
    ${samples.length ? `<figure class="samples"><figcaption>${say("or take one of these")}</figcaption><div class="buttons">${samples.join("")}</div></figure>` : ""}
    ${sites.map(({ name, shape }) => `<figure class="layer"><figcaption>${sized(name, shape)}</figcaption><canvas role="img" aria-label="${say("potentials and spikes of {name}", { name })}"></canvas></figure>`).join("")}${key(signed)}`;
}

function render({ model, el }) {
  const shop = workshop((name) => model.get(name));
  const classes = model.get("classes");
  const { image, largest } = shop.networks[0];
  const drawable = image.length === 3 && image[0] === 1;
  const shape = image.length === 3 ? image : [1, 1, product(image)];
  const controls = { method: { label: say("method"), options: Object.fromEntries(shop.networks.map(({ name }) => [name, name])) }, ...CONTROLS };
  let parts = null; // once the page is built
  let playing = 0; // the clock's number
  let watch = null; // of the theme

  function paint(p, run, room) {
    const { pad, layers, samples, colours } = parts;
    paintImage(pad, p.pixels, shape, largest, colours);
    pad.dataset.pixels = JSON.stringify(p.pixels);
    samples.forEach((button, k) => button.setAttribute("aria-pressed", String(shop.samples[k].image.every((x, i) => x === p.pixels[i]))));
    const sites = run.neurons.flatMap((site, n) => (site ? [[site, run.net.nodes[n].shape]] : []));
    sites.forEach(([site, shapeOf], k) => paintLayer(layers[k], site, sheet(shapeOf, room), colours));
  }

  function draw(given, width) {
    const p = stepsOf(given, shop.networks);
    const run = shop.moment(p);
    const answer = shop.answer(p);
    if (parts) {
      Object.assign(parts.root.querySelector("[name=t]"), { max: p.T, value: p.t }); // in this order
      paint(p, run, Math.min(360, width));
    }
    return [picture(p, run, answer, classes, width), describe(p, run, answer, { classes, samples: shop.samples })];
  }

  function ready(root, { p, set, draw: redraw }) {
    root.querySelector("svg").insertAdjacentHTML("beforebegin", stage(shop, classes, drawable));
    const [pad, cursor, play] = [".pad", ".cursor", ".play"].map((name) => root.querySelector(name));
    const samples = [...root.querySelectorAll(".samples button")];
    parts = { root, pad, samples, layers: [...root.querySelectorAll(".layer canvas")] };
    const hand = drawable ? listen(pad, image, largest, (pixels) => set("pixels", pixels)) : null;
    samples.forEach((button, k) =>
      button.addEventListener("click", () => {
        hand?.clear(); // the next stroke begins a new drawing
        set("pixels", shop.samples[k].image);
      }),
    );
    if (hand) {
      const place = () => Object.assign(cursor.style, { left: `${1 + (hand.cursor.column * 160) / image[2]}px`, top: `${1 + (hand.cursor.row * 160) / image[2]}px`, width: `${160 / image[2]}px`, height: `${160 / image[2]}px` });
      pad.addEventListener("moved", place);
      place();
      root.querySelector(".clear").addEventListener("click", () => {
        hand.clear();
        set("pixels", new Array(product(image)).fill(0));
      });
    }
    const next = () => {
      const { T, t } = stepsOf(p, shop.networks);
      set("t", t < T ? t + 1 : 1);
    };
    function pause() {
      clearInterval(playing);
      playing = 0;
      play.textContent = say("Play");
      root.querySelector(".says").setAttribute("aria-live", "polite");
    }
    play.addEventListener("click", () => {
      if (playing) return pause();
      root.querySelector(".says").setAttribute("aria-live", "off"); // or a screen reader would never end
      play.textContent = say("Pause");
      playing = setInterval(() => {
        if (stepsOf(p, shop.networks).t + 1 >= stepsOf(p, shop.networks).T) pause();
        next();
      }, PACE);
      if (stepsOf(p, shop.networks).t === stepsOf(p, shop.networks).T) next();
    });
    root.querySelector(".step").addEventListener("click", () => {
      pause();
      next();
    });
    function recolour() {
      parts.colours = coloursOf(root);
      samples.forEach((button, k) => paintImage(button.firstChild, shop.samples[k].image, shape, largest, parts.colours));
      redraw();
    }
    watch = new MutationObserver(recolour);
    watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    recolour();
  }

  const down = mountExplorer({ model, el }, {
    name: "network",
    aria: say("Evidence for each class, now and over the steps"),
    controls,
    more: ["pixels"],
    style: STYLE,
    height: (_, width) => heightOf(classes, width),
    shown: (name, p) => {
      const net = shop.entry(p.method);
      return { method: shop.networks.length > 1, T: net.T === null, scale: net.scalable, seed: p.coding === "poisson" }[name] ?? true;
    },
    changed: (name, p) => {
      const net = shop.entry(p.method);
      if (name === "method") return { T: net.T ?? p.T, t: net.T ?? p.T, scale: net.scalable ? p.scale : 1 };
      return name === "T" ? { t: p.T } : name === "t" ? { t: Math.min(p.t, p.T) } : {};
    },
    wrong: () => "",
    draw,
    ready,
  });
  return () => {
    clearInterval(playing);
    watch.disconnect();
    down();
  };
}

export default { render };
