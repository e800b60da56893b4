// The membrane explorer: one neuron of any kind, simulated here (neurons.js), drawn at once (drawing.js).

const KINDS = Object.fromEntries(Object.entries(NEURON_KINDS).map(([kind, { label }]) => [kind, label]));
const RESETS = { subtract: say("subtract (soft)"), zero: say("to zero (hard)") };
export const CONTROLS = {
  kind: { label: say("neuron"), options: KINDS },
  arrival: { label: say("the input arrives"), options: ARRIVALS },
  current: { label: say("mean input z"), min: -1, max: 2, step: STEP },
  threshold: { label: say("threshold θ"), min: 0.25, max: 2, step: STEP },
  v0: { label: say("initial potential v[0]"), min: -1, max: 2, step: STEP },
  T: { label: say("steps T"), min: 1, max: 128, step: 1 },
  leak: { label: say("share kept (leak)"), min: 0, max: 1, step: STEP },
  reset: { label: say("reset"), options: RESETS },
  max_spikes: { label: say("spikes in a step, at most"), min: 1, max: 8, step: 1 },
  cap: { label: say("net count, at most"), min: 1, max: 32, step: 1 },
  decay: { label: say("calcium kept (decay)"), min: 0, max: 1, step: STEP },
  tau: { label: say("time constant τ"), min: 1, max: 16, step: 0.25 },
  tau_c: { label: say("calcium’s τ"), min: 1, max: 16, step: 0.25 },
  rest: { label: say("reset without calcium, in θ"), min: -2, max: 0, step: STEP },
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
  const sent = { count: spikesSaid(run.count), steps: stepsSaid(p.T), back: run.back };
  const spikes = run.back ? say("{count} net, {back} taken back, in {steps}", sent) : say("{count} in {steps}", sent);
  const given = { spikes, rate: show(rate), gap: show(Math.abs(gap)), relu: show(relu), why: why(p, run, gap) };
  if (gap === 0) return say("{spikes}: the mean output {rate} is exactly ReLU(z) = {relu}. {why}", given);
  return gap > 0
    ? say("{spikes}: the mean output {rate} is {gap} above ReLU(z) = {relu}. {why}", given)
    : say("{spikes}: the mean output {rate} is {gap} below ReLU(z) = {relu}. {why}", given);
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
    <text class="title" x="${MARGIN.left}" y="12">${say("potential v[t], ▲ where it fires")}</text>${axis(yv, spanV, width)}
    ${level(yv, p.threshold, width, "threshold", say("threshold θ"))}
    ${potentialTrace(p.v0, run, x, yv)}
    <text class="title" x="${MARGIN.left}" y="${spikes.top - 8}">${run.back ? say("spikes, and those taken back") : say("spikes")}</text>
    <line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${base}" y2="${base}"/>
    <path class="spike" d="${bars}"/><path class="back" d="${backs}"/>
    <text class="title" x="${MARGIN.left}" y="${rate.top - 8}">${say("mean output so far")}</text>${axis(yr, spanR, width)}
    ${level(yr, p.threshold, width, "threshold", most > 1 ? "θ" : say("θ: one spike in every step"))}
    ${level(yr, Math.max(p.current, 0), width, "relu", "ReLU(z)")}
    <path class="rate" d="${curve}"/>${marks}${stepAxis(x, p.T, width, HEIGHT - 16)}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">${say("step t")}</text>`;
}

function render({ model, el }) {
  return mountExplorer({ model, el }, {
    name: "membrane",
    aria: say("Potential, spikes and mean output over the steps"),
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
