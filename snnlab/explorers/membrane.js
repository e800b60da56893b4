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
  const run = { peak: [], v: [], spike: [], rate: [], count: 0, back: 0 };
  let state = startNeuron(p);
  for (let t = 1; t <= settings.T; t++) {
    state = stepNeuron(p, state, arriving(settings, t));
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

export function describe(p, run) {
  const rate = run.rate[p.T - 1];
  const relu = Math.max(p.current, 0);
  const gap = rate - relu;
  const taken = run.back ? ` net, ${run.back} taken back,` : "";
  const spikes = `${plural(run.count, "spike")}${taken} in ${plural(p.T, "step")}`;
  const compared = gap === 0 ? "exactly" : `${show(Math.abs(gap))} ${gap > 0 ? "above" : "below"}`;
  return `${spikes}: the mean output ${show(rate)} is ${compared} ReLU(z) = ${show(relu)}. ${reason(p, run, gap)}`;
}

function reason(p, run, gap) {
  if (p.kind === "ca_lif_hard_reset") return hardReset(p, run);
  const n = neuronOf(p);
  const left = run.v[p.T - 1];
  const lost = run.peak.reduce((sum, v, t) => sum + (run.spike[t] && n.reset === "zero" ? v - p.threshold : 0), 0);
  if (n.leak < 1 && p.current > 0 && run.count === 0 && p.arrival === "constant")
    return `With the leak v cannot rise above z / (1 − leak) = ${show(p.current / (1 - n.leak))}: too small an input never fires.`;
  if (lost > 0) return `Each reset to zero throws away what lies above the threshold: ${show(lost)} in all.`;
  if (n.leak < 1) return "The leak takes a share of the potential in each step, and what has leaked never becomes a spike.";
  if (n.cap !== null && run.count === n.cap && left >= p.threshold)
    return `The count stands at its cap, and ${show(left)} of charge waits in vain.`;
  if (p.current > p.threshold * n.max_spikes && run.count === p.T * n.max_spikes)
    return `Clipped: ${plural(n.max_spikes, "spike")} a step is all it can say, and ${show(left)} of charge waits in vain.`;
  if (p.arrival !== "constant" && left < 0 && run.count > 0)
    return `Too many: they were sent before the input was taken back, and v[T] = ${show(left)} is the debt. ${debt(n)}`;
  if (p.arrival !== "constant" && left >= p.threshold)
    return `Too few: v[T] = ${show(left)} is above the threshold, the charge came too late to be sent in time.`;
  if (p.current <= 0 && run.count === 0) return "No positive mean input, no spike left standing: silent, as ReLU is.";
  if (p.current <= 0) return `The mean input is not positive: these come from ${p.arrival === "constant" ? "v[0] alone" : "v[0] or an early input"}.`;
  if (gap === 0) return "Every bit of charge has become a spike or waits where it began.";
  return `What is missing or ahead is (v[0] − v[T]) / T = (${show(p.v0)} − ${show(left)}) / ${p.T}: no charge is lost.`;
}

function debt(n) {
  if (n.negative === null) return "This neuron cannot take a spike back.";
  if (n.decay < 1) return "Its calcium has faded, or v has not yet fallen to −θ.";
  return n.negative > 0 ? "It takes a spike back only at −θ." : "It would take one back in a next step.";
}

function hardReset(p, run) {
  if (run.count === 0 && p.current > 0 && p.current <= p.threshold)
    return "Its potential tends to z and never passes the threshold: small inputs are not heard.";
  if (run.count === 0) return "Silent.";
  return `It fires a step late and forgets the rest: for steady input a spike about every τ·ln(z / (z − θ)) steps, no ReLU.`;
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
  const dots = p.T <= 48;
  const tallest = Math.max(1, ...run.spike);
  const base = run.back ? spikes.top + spikes.height / 2 : spikes.top + spikes.height;
  const tall = (base - spikes.top) / tallest;
  let trace = `M${x(0).toFixed(1)},${yv(p.v0).toFixed(1)}`;
  let resets = "";
  let bars = "";
  let backs = "";
  let curve = "";
  let marks = dots ? `<circle class="dot" cx="${x(0).toFixed(1)}" cy="${yv(p.v0).toFixed(1)}" r="3"/>` : "";
  for (let t = 1; t <= p.T; t++) {
    const at = x(t).toFixed(1);
    const peak = yv(run.peak[t - 1]).toFixed(1);
    const after = yv(run.v[t - 1]).toFixed(1);
    const spike = run.spike[t - 1];
    trace += `L${at},${peak}`;
    if (spike) {
      resets += `M${at},${peak}L${at},${after}`;
      trace += `M${at},${after}`;
      if (spike > 0) bars += `M${at},${base}L${at},${(base - tall * spike).toFixed(1)}`;
      else backs += `M${at},${base}L${at},${base + spikes.height / 2}`;
    }
    if (dots) marks += `<circle class="dot" cx="${at}" cy="${after}" r="3"/>`;
    const r = yr(run.rate[t - 1]).toFixed(1);
    curve += `${t === 1 ? "M" : "L"}${at},${r}`;
    if (dots) marks += `<circle class="rate-dot" cx="${at}" cy="${r}" r="2.5"/>`;
  }
  const most = neuronOf(p).max_spikes;
  return `
    <text class="title" x="${MARGIN.left}" y="12">potential v[t]</text>${axis(yv, spanV, width)}
    <path class="trace" d="${trace}"/><path class="reset" d="${resets}"/>
    ${level(yv, p.threshold, width, "threshold", "threshold θ")}
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
