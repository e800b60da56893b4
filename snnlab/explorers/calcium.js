// The Ca-LIF explorer: potential, calcium and spikes of both neurons, and what the mean output makes of a constant input.

const TWO = { ca_lif: say("bipolar, calcium is the gate"), ca_lif_hard_reset: say("leaky, clamped hard reset") };
export const CONTROLS = {
  kind: { label: say("Ca-LIF neuron"), options: TWO },
  arrival: { label: say("the input arrives"), options: ARRIVALS },
  current: { label: say("mean input z"), min: -1, max: 2, step: STEP },
  threshold: { label: say("threshold θ"), min: 0.25, max: 2, step: STEP },
  v0: { label: say("initial potential v[0]"), min: -1, max: 2, step: STEP },
  T: { label: say("steps T"), min: 1, max: 64, step: 1 },
  leak: { label: say("share of v kept (leak)"), min: 0, max: 1, step: STEP },
  decay: { label: say("calcium kept (decay)"), min: 0, max: 1, step: STEP },
  tau: { label: say("time constant τ"), min: 1, max: 16, step: 0.25 },
  tau_c: { label: say("calcium’s τ"), min: 1, max: 16, step: 0.25 },
  rest: { label: say("reset without calcium, in θ"), min: -2, max: 0, step: STEP },
};
const OWN = { ca_lif: ["leak", "decay"], ca_lif_hard_reset: ["tau", "tau_c", "rest"] };
const ALWAYS = ["kind", "arrival", "current", "threshold", "v0", "T"];

function neuronOf(p) {
  const { kind, threshold, v0 } = p;
  return completeNeuron({ kind, threshold, v0, ...Object.fromEntries(OWN[kind].map((name) => [name, p[name]])) });
}

export function simulate(settings) {
  const p = neuronOf(settings);
  const run = { z: [], peak: [], v: [], spike: [], calcium: [], count: 0 };
  let state = startNeuron(p);
  for (let t = 1; t <= settings.T; t++) {
    const z = arriving(settings, t);
    state = stepNeuron(p, state, z);
    run.z.push(z);
    run.peak.push(state.peak);
    run.v.push(state.v);
    run.spike.push(state.spike);
    run.calcium.push(state.calcium);
  }
  run.count = state.count;
  return run;
}

// Mean output after T steps of constant inputs from -θ/2 to 3/2 θ.
export function rateCurve(settings) {
  const p = neuronOf(settings);
  return Array.from({ length: 193 }, (_, k) => {
    const z = p.threshold * (k / 96 - 0.5);
    let state = startNeuron(p);
    for (let t = 0; t < settings.T; t++) state = stepNeuron(p, state, z);
    return { z, rate: (p.threshold * state.count) / settings.T };
  });
}

// --- in words ------------------------------------------------------------------------------------------------------

export function describe(p, run) {
  const up = run.spike.filter((s) => s > 0).length;
  const down = run.spike.filter((s) => s < 0).length;
  const rate = meanOutput(p, run);
  const relu = Math.max(p.current, 0);
  const constant = p.arrival === "constant";
  const spikes = down ? say("{spikes}, {down} of them taken back", { spikes: spikesSaid(up), down }) : spikesSaid(up);
  const why = p.kind === "ca_lif" ? because(neuronOf(p), run, rate - relu, constant) : becauseHardReset(neuronOf(p), run, constant);
  const sentence = say("{spikes}: the mean output {rate}, where ReLU(z) = {relu}. {why}", { spikes, rate: show(rate), relu: show(relu), why });
  const snm = p.kind === "ca_lif" && p.decay === 1 && down;
  return snm ? say("{sentence} Calcium that does not fade is the number of spikes that stand: this is SNM.", { sentence }) : sentence;
}

const meanOutput = (p, run) => (p.threshold * run.count) / p.T;

// --- the picture ---------------------------------------------------------------------------------------------------

const PANELS = {
  z: { top: 22, height: 54 }, v: { top: 104, height: 150 }, calcium: { top: 284, height: 70 },
  spikes: { top: 382, height: 36 }, rate: { top: 470, height: 150 },
};
const HEIGHT = 654;
const TITLES = {
  ca_lif: { calcium: say("calcium c[t]; shaded: the gate is open"), spikes: say("spikes, and those taken back") },
  ca_lif_hard_reset: { calcium: say("calcium c[t]; shaded: a reset goes to 0"), spikes: say("spikes") },
};

export function picture(p, run, curve, width) {
  const x = scale(0, p.T, MARGIN.left, width - MARGIN.right);
  const bipolar = p.kind === "ca_lif";
  const lower = bipolar ? -p.threshold : p.rest * p.threshold;
  const down = (panel, span) => scale(...span, panel.top + panel.height, panel.top);
  const spans = { z: range(run.z), v: range([p.v0, p.threshold, lower, ...run.peak, ...run.v]), calcium: range([0.5, ...run.calcium]) };
  const yz = down(PANELS.z, spans.z);
  const yv = down(PANELS.v, spans.v);
  const yc = down(PANELS.calcium, spans.calcium);
  const title = (panel, text) => `<text class="title" x="${MARGIN.left}" y="${panel.top - 10}">${text}</text>`;
  return `${title(PANELS.z, say("input z[t]"))}${axis(yz, spans.z, width, 4)}${bars(run.z, x, yz)}
    ${title(PANELS.v, say("potential v[t], ▲ where it fires"))}${axis(yv, spans.v, width)}${potentialTrace(p.v0, run, x, yv)}
    ${level(yv, p.threshold, width, "threshold", "θ")}${bipolar ? lowerThreshold(p, run, x, yv, width) : ""}
    ${title(PANELS.calcium, TITLES[p.kind].calcium)}${axis(yc, spans.calcium, width, 4)}${gateArea(run, x)}
    ${calciumPath(run, x, yc)}${level(yc, GATE, width, "gate", "0.001")}
    ${title(PANELS.spikes, TITLES[p.kind].spikes)}${spikePaths(run, x, width)}${stepAxis(x, p.T, width, PANELS.spikes.top + PANELS.spikes.height + 18)}
    ${title(PANELS.rate, say("mean output after T steps of z"))}${rates(p, run, curve, width)}`;
}

const bars = (values, x, y) =>
  `<path class="drive" d="${values.map((z, t) => `M${x(t + 1).toFixed(1)},${y(0).toFixed(1)}V${y(z).toFixed(1)}`).join("")}"/>`;

// The stretches [from, to] of steps for which there is calcium: that of step t counts in step t + 1.
function openSteps(run) {
  const stretches = [];
  run.calcium.slice(0, -1).forEach((c, t) => {
    if (c <= GATE) return;
    const last = stretches.at(-1);
    if (last && last[1] === t + 1) last[1] = t + 2;
    else stretches.push([t + 1, t + 2]);
  });
  return stretches;
}

function gateArea(run, x) {
  const { top, height } = PANELS.calcium;
  return openSteps(run)
    .map(([from, to]) => `<rect class="open" x="${x(from).toFixed(1)}" y="${top}" width="${(x(to) - x(from)).toFixed(1)}" height="${height}"/>`)
    .join("");
}

// Faint where the gate is shut; its name below it, where that of θ cannot be.
function lowerThreshold(p, run, x, y, width) {
  const at = y(-p.threshold).toFixed(1);
  const open = openSteps(run).map(([from, to]) => `M${x(from).toFixed(1)},${at}H${x(to).toFixed(1)}`);
  return `<path class="threshold shut" d="M${MARGIN.left},${at}H${width - MARGIN.right}"/><path class="threshold" d="${open.join("")}"/>
    <text class="name threshold-name" x="${width - MARGIN.right}" y="${at}" dy="13" text-anchor="end">−θ</text>`;
}

function calciumPath(run, x, y) {
  const points = run.calcium.map((c, t) => `${x(t + 1).toFixed(1)},${y(c).toFixed(1)}`);
  return `<path class="calcium" d="M${x(0).toFixed(1)},${y(0).toFixed(1)}L${points.join("L")}"/>`;
}

function spikePaths(run, x, width) {
  const middle = PANELS.spikes.top + PANELS.spikes.height / 2;
  const mark = (sign) =>
    run.spike.map((s, t) => (s === sign ? `M${x(t + 1).toFixed(1)},${middle}v${-sign * 18}` : "")).join("");
  return `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${middle}" y2="${middle}"/>
    <path class="spike" d="${mark(1)}"/><path class="back" d="${mark(-1)}"/>`;
}

// The curve over constant inputs, and where the run of the panels above stands beside it.
function rates(p, run, curve, width) {
  const { top, height } = PANELS.rate;
  const span = [0, p.threshold * 1.5];
  const x = scale(-p.threshold / 2, p.threshold * 1.5, MARGIN.left, width - MARGIN.right);
  const y = scale(...span, top + height, top);
  const path = curve.map(({ z, rate }) => `${x(z).toFixed(1)},${y(rate).toFixed(1)}`).join("L");
  const inside = p.current >= -p.threshold / 2 && p.current <= 1.5 * p.threshold;
  const dot = [x(p.current), y(meanOutput(p, run))].map((at) => at.toFixed(1));
  const here = inside ? `<circle class="here" cx="${dot[0]}" cy="${dot[1]}" r="5"/>` : "";
  const numbers = ticks([-p.threshold / 2, p.threshold * 1.5])
    .map((tick) => `<text class="tick" x="${x(tick).toFixed(1)}" y="${top + height + 16}" text-anchor="middle">${show(tick)}</text>`)
    .join("");
  return `${axis(y, span, width)}${level(y, p.threshold, width, "threshold", "θ")}
    <path class="relu" d="M${x(-p.threshold / 2)},${y(0)}H${x(0)}L${x(1.5 * p.threshold)},${y(1.5 * p.threshold)}"/>
    <path class="rate" d="M${path}"/>${here}${numbers}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">${say("z; dotted: ReLU, dot: the input above")}</text>`;
}

const STYLE = `
.snnlab-calcium .drive { stroke: var(--soft); stroke-width: 3; }
.snnlab-calcium .calcium { stroke: var(--back); stroke-width: 2; }
.snnlab-calcium .open { fill: var(--back); opacity: 0.12; }
.snnlab-calcium .here { fill: var(--rate); stroke: var(--paper); stroke-width: 2; }
.snnlab-calcium .shut { opacity: 0.3; stroke-dasharray: none; }
.snnlab-calcium .gate { stroke: var(--back); stroke-dasharray: 2 3; }
.snnlab-calcium .gate-name { fill: var(--back); }
`;

function render({ model, el }) {
  return mountExplorer({ model, el }, {
    name: "calcium",
    aria: say("Input, potential, calcium and spikes over the steps, and the mean output over a constant input"),
    controls: CONTROLS,
    style: STYLE,
    height: () => HEIGHT,
    shown: (name, p) => ALWAYS.includes(name) || OWN[p.kind].includes(name),
    wrong: (p) => wrongNeuron({ ...neuronOf(p), current: p.current, T: p.T }),
    draw(p, width) {
      const run = simulate(p);
      return [picture(p, run, rateCurve(p), width), describe(p, run)];
    },
  });
}

export default { render };
