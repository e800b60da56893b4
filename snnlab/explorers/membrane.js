// The membrane explorer: one neuron of any kind, simulated here (neurons.js), drawn at once (drawing.js).

const KINDS = Object.fromEntries(Object.entries(NEURON_KINDS).map(([kind, { label }]) => [kind, label]));
const RESETS = { subtract: "subtract (soft)", zero: "to zero (hard)" };
export const CONTROLS = {
  kind: { label: "neuron", options: KINDS },
  arrival: { label: "the input arrives", options: ARRIVALS },
  current: { label: "mean input z", min: -1, max: 2, step: STEP },
  threshold: { label: "threshold θ", min: 0.25, max: 2, step: STEP },
  v0: { label: "initial potential v[0]", min: -1, max: 2, step: STEP },
  T: { label: "steps T", min: 1, max: 128, step: 1 },
  leak: { label: "share kept (leak)", min: 0, max: 1, step: STEP },
  reset: { label: "reset", options: RESETS },
  max_spikes: { label: "spikes in a step, at most", min: 1, max: 8, step: 1 },
  cap: { label: "net count, at most", min: 1, max: 32, step: 1 },
  decay: { label: "calcium kept (decay)", min: 0, max: 1, step: STEP },
  tau: { label: "time constant τ", min: 1, max: 16, step: 0.25 },
  tau_c: { label: "calcium’s τ", min: 1, max: 16, step: 0.25 },
  rest: { label: "reset without calcium, in θ", min: -2, max: 0, step: STEP },
};
const ALWAYS = ["kind", "arrival", "current", "threshold", "v0", "T"];

export function simulate(settings) {
  const p = neuronOf(settings);
  const run = { z: [], peak: [], v: [], spike: [], calcium: [], rate: [], count: 0, back: 0 };
  let state = startNeuron(p);
  for (let t = 1; t <= settings.T; t++) {
    const z = arriving(settings, t);
    state = stepNeuron(p, state, z);
    run.z.push(z);
    run.calcium.push(state.calcium);
    run.peak.push(state.peak);
    run.v.push(state.v);
    run.spike.push(state.spike);
    run.rate.push((p.threshold * state.count) / t);
    if (state.spike < 0) run.back++;
  }
  run.count = state.count;
  return run;
}

// The numbers that the kind has; those of the sliders that are hidden do not count.
function neuronOf(p) {
  const own = Object.keys(NEURON_KINDS[p.kind].settings).filter((name) => name in CONTROLS);
  const { kind, threshold, v0 } = p;
  return completeNeuron({ kind, threshold, v0, ...Object.fromEntries(own.map((name) => [name, p[name]])) });
}

function why(p, run, gap) {
  const constant = p.arrival === "constant";
  return p.kind === "ca_lif_hard_reset" ? becauseHardReset(neuronOf(p), run, constant) : because(neuronOf(p), run, gap, constant);
}

export function describe(p, run) {
  const rate = run.rate[p.T - 1];
  const relu = Math.max(p.current, 0);
  const gap = rate - relu;
  const taken = run.back ? ` net, ${run.back} taken back,` : "";
  const spikes = `${plural(run.count, "spike")}${taken} in ${plural(p.T, "step")}`;
  const compared = gap === 0 ? "exactly" : `${show(Math.abs(gap))} ${gap > 0 ? "above" : "below"}`;
  return `${spikes}: the mean output ${show(rate)} is ${compared} ReLU(z) = ${show(relu)}. ${why(p, run, gap)}`;
}

// --- the picture -------------------------------------------------------------------------------------------------

const PANELS = { v: { top: 22, height: 190 }, spikes: { top: 244, height: 32 }, rate: { top: 306, height: 130 } };
const HEIGHT = 468;

export function picture(p, run, width) {
  const x = scale(0, p.T, MARGIN.left, width - MARGIN.right);
  const { v, spikes, rate } = PANELS;
  const spanV = range([p.v0, p.threshold, ...run.peak, ...run.v]);
  const spanR = range([p.threshold, Math.max(p.current, 0), ...run.rate]);
  const yv = scale(...spanV, v.top + v.height, v.top);
  const yr = scale(...spanR, rate.top + rate.height, rate.top);
  const dots = p.T <= DOTS;
  const tallest = Math.max(1, ...run.spike);
  const base = run.back ? spikes.top + spikes.height / 2 : spikes.top + spikes.height;
  const tall = (base - spikes.top) / tallest;
  let bars = "";
  let backs = "";
  let curve = "";
  let marks = "";
  for (let t = 1; t <= p.T; t++) {
    const at = x(t).toFixed(1);
    const spike = run.spike[t - 1];
    if (spike > 0) bars += `M${at},${base}L${at},${(base - tall * spike).toFixed(1)}`;
    if (spike < 0) backs += `M${at},${base}L${at},${base + spikes.height / 2}`;
    const r = yr(run.rate[t - 1]).toFixed(1);
    curve += `${t === 1 ? "M" : "L"}${at},${r}`;
    if (dots) marks += `<circle class="rate-dot" cx="${at}" cy="${r}" r="2.5"/>`;
  }
  const most = neuronOf(p).max_spikes;
  return `
    <text class="title" x="${MARGIN.left}" y="12">potential v[t], ▲ where it fires</text>${axis(yv, spanV, width)}
    ${level(yv, p.threshold, width, "threshold", "threshold θ")}
    ${potentialTrace(p.v0, run, x, yv)}
    <text class="title" x="${MARGIN.left}" y="${spikes.top - 8}">${run.back ? "spikes, and those taken back" : "spikes"}</text>
    <line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${base}" y2="${base}"/>
    <path class="spike" d="${bars}"/><path class="back" d="${backs}"/>
    <text class="title" x="${MARGIN.left}" y="${rate.top - 8}">mean output so far</text>${axis(yr, spanR, width)}
    ${level(yr, p.threshold, width, "threshold", most > 1 ? "θ" : "θ: one spike in every step")}
    ${level(yr, Math.max(p.current, 0), width, "relu", "ReLU(z)")}
    <path class="rate" d="${curve}"/>${marks}${stepAxis(x, p.T, width, HEIGHT - 16)}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">step t</text>`;
}

function render({ model, el }) {
  return mountExplorer({ model, el }, {
    name: "membrane",
    aria: "Potential, spikes and mean output over the steps",
    controls: CONTROLS,
    height: () => HEIGHT,
    shown: (name, p) => ALWAYS.includes(name) || name in NEURON_KINDS[p.kind].settings,
    changed: (name, p) =>
      name === "kind" ? Object.fromEntries(Object.entries(NEURON_KINDS[p.kind].settings).filter(([key]) => key in CONTROLS)) : {},
    wrong: (p) => wrongNeuron({ ...neuronOf(p), current: p.current, T: p.T }),
    draw(p, width) {
      const run = simulate(p);
      return [picture(p, run, width), describe(p, run)];
    },
  });
}

export default { render };
