// The membrane explorer: one neuron with constant input, simulated here, drawn at once.
// The same rule as IF.step in neurons.py, operation for operation; the tests hold the two together bit for bit.

const STEP = 1 / 64; // sliders move on dyadic numbers, so that no tie depends on rounding
export const SLIDERS = {
  current: { label: "input z", min: -1, max: 2, step: STEP },
  threshold: { label: "threshold θ", min: 0.25, max: 2, step: STEP },
  v0: { label: "initial potential v[0]", min: -1, max: 2, step: STEP },
  T: { label: "steps T", min: 1, max: 128, step: 1 },
  leak: { label: "share kept (leak)", min: 0, max: 1, step: STEP },
};
const RESETS = { subtract: "subtract (soft)", zero: "to zero (hard)" };

export function simulate({ threshold, v0, T, current, leak, reset }) {
  const run = { peak: [], v: [], spike: [], rate: [], count: 0 };
  let v = v0;
  for (let t = 1; t <= T; t++) {
    v = leak === 1 ? v + current : leak * v + current; // charge
    run.peak.push(v);
    const spike = v >= threshold ? 1 : 0; // fire
    if (reset === "subtract") v = v - threshold * spike;
    else if (spike) v = 0;
    run.v.push(v);
    run.spike.push(spike);
    run.count += spike;
    run.rate.push((threshold * run.count) / t);
  }
  return run;
}

const show = (x) => (Math.round(x * 10000) / 10000).toString().replace("-", "−");

export function describe(p, run) {
  const rate = run.rate[p.T - 1];
  const relu = Math.max(p.current, 0);
  const gap = rate - relu;
  const spikes = `${run.count} ${run.count === 1 ? "spike" : "spikes"} in ${p.T} ${p.T === 1 ? "step" : "steps"}`;
  const compared = gap === 0 ? "exactly" : `${show(Math.abs(gap))} ${gap > 0 ? "above" : "below"}`;
  return `${spikes}: the mean output ${show(rate)} is ${compared} ReLU(z) = ${show(relu)}. ${reason(p, run, gap)}`;
}

function reason(p, run, gap) {
  const left = run.v[p.T - 1];
  const lost = run.peak.reduce((sum, v, t) => sum + (run.spike[t] && p.reset === "zero" ? v - p.threshold : 0), 0);
  if (p.leak < 1 && p.current > 0 && run.count === 0)
    return `With the leak v cannot rise above z / (1 − leak) = ${show(p.current / (1 - p.leak))}: too small an input never fires.`;
  if (lost > 0) return `Each reset to zero throws away what lies above the threshold: ${show(lost)} in all.`;
  if (p.leak < 1) return "The leak takes a share of the potential in each step, and what has leaked never becomes a spike.";
  if (p.current > p.threshold && run.count === p.T)
    return `Clipped: one spike a step is all it can say, and ${show(left)} of charge waits in vain.`;
  if (p.current <= 0 && run.count === 0) return "No positive input, no spike: silent, as ReLU is.";
  if (p.current <= 0) return "These spikes come from v[0] alone: the input is not positive.";
  if (gap === 0) return "Every bit of charge has become a spike or waits where it began.";
  return `What is missing or ahead is (v[0] − v[T]) / T = (${show(p.v0)} − ${show(left)}) / ${p.T}: no charge is lost.`;
}

// --- the picture -------------------------------------------------------------------------------------------------

const PANELS = { v: { top: 22, height: 190 }, spikes: { top: 244, height: 26 }, rate: { top: 300, height: 130 } };
const HEIGHT = 462;
const MARGIN = { left: 46, right: 14 };

function scale(low, high, from, to) {
  return (x) => from + ((x - low) / (high - low)) * (to - from);
}

// Whole or half numbers that enclose the values, so that the axis stands still for most moves of a slider.
function range(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(...values);
  return [Math.floor(low * 2) / 2, Math.ceil(high * 2) / 2 + 0.125];
}

function ticks([low, high]) {
  const step = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100].find((s) => (high - low) / s < 6) ?? 200;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function axis(y, span, width) {
  return ticks(span)
    .map((tick) => {
      const at = y(tick).toFixed(1);
      return `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${at}" y2="${at}"/>
        <text class="tick" x="${MARGIN.left - 6}" y="${at}" dy="0.32em" text-anchor="end">${show(tick)}</text>`;
    })
    .join("");
}

function level(y, value, width, css, name) {
  const at = y(value).toFixed(1);
  return `<line class="${css}" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${at}" y2="${at}"/>
    <text class="name ${css}-name" x="${width - MARGIN.right}" y="${at}" dy="-4" text-anchor="end">${name}</text>`;
}

export function picture(p, run, width) {
  const x = scale(0, p.T, MARGIN.left, width - MARGIN.right);
  const { v, spikes, rate } = PANELS;
  const spanV = range([p.v0, p.threshold, ...run.peak, ...run.v]);
  const spanR = range([p.threshold, Math.max(p.current, 0), ...run.rate]);
  const yv = scale(...spanV, v.top + v.height, v.top);
  const yr = scale(...spanR, rate.top + rate.height, rate.top);
  const dots = p.T <= 48;
  let trace = `M${x(0).toFixed(1)},${yv(p.v0).toFixed(1)}`;
  let resets = "";
  let bars = "";
  let curve = "";
  let marks = dots ? `<circle class="dot" cx="${x(0).toFixed(1)}" cy="${yv(p.v0).toFixed(1)}" r="3"/>` : "";
  for (let t = 1; t <= p.T; t++) {
    const at = x(t).toFixed(1);
    const peak = yv(run.peak[t - 1]).toFixed(1);
    const after = yv(run.v[t - 1]).toFixed(1);
    trace += `L${at},${peak}`;
    if (run.spike[t - 1]) {
      resets += `M${at},${peak}L${at},${after}`;
      trace += `M${at},${after}`;
      bars += `M${at},${spikes.top}L${at},${spikes.top + spikes.height}`;
    }
    if (dots) marks += `<circle class="dot" cx="${at}" cy="${after}" r="3"/>`;
    const r = yr(run.rate[t - 1]).toFixed(1);
    curve += `${t === 1 ? "M" : "L"}${at},${r}`;
    if (dots) marks += `<circle class="rate-dot" cx="${at}" cy="${r}" r="2.5"/>`;
  }
  const every = [1, 2, 4, 8, 16, 32].find((s) => p.T / s <= width / 60) ?? 32;
  let steps = "";
  for (let t = 0; t <= p.T; t += every)
    steps += `<text class="tick" x="${x(t).toFixed(1)}" y="${HEIGHT - 16}" text-anchor="middle">${t}</text>`;
  const base = spikes.top + spikes.height;
  return `
    <text class="title" x="${MARGIN.left}" y="12">potential v[t]</text>${axis(yv, spanV, width)}
    <path class="trace" d="${trace}"/><path class="reset" d="${resets}"/>
    ${level(yv, p.threshold, width, "threshold", "threshold θ")}
    <text class="title" x="${MARGIN.left}" y="${spikes.top - 8}">spikes</text>
    <line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${base}" y2="${base}"/>
    <path class="spike" d="${bars}"/>
    <text class="title" x="${MARGIN.left}" y="${rate.top - 8}">mean output so far</text>${axis(yr, spanR, width)}
    ${level(yr, p.threshold, width, "threshold", "θ: one spike in every step")}
    ${level(yr, Math.max(p.current, 0), width, "relu", "ReLU(z)")}
    <path class="rate" d="${curve}"/>${marks}${steps}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">step t</text>`;
}

const STYLE = `
.snnlab-membrane { --v: #0072b2; --theta: #c44e00; --rate: #007a5a; --ink: var(--jp-content-font-color1, #222);
  --soft: var(--jp-content-font-color2, #666); --line: var(--jp-border-color2, #ddd);
  container-type: inline-size; color: var(--ink); max-width: 1100px; padding: 4px;
  font: 14px/1.4 var(--jp-content-font-family, system-ui, sans-serif); }
[data-jp-theme-light="false"] .snnlab-membrane { --v: #56b4e9; --theta: #ff9a52; --rate: #2fd0a0; }
.snnlab-membrane .panes { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
@container (min-width: 720px) { .snnlab-membrane .panes { grid-template-columns: 270px minmax(0, 1fr); gap: 24px; } }
.snnlab-membrane .controls { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 16px; align-content: start; }
@container (min-width: 720px) { .snnlab-membrane .controls { grid-template-columns: 1fr; gap: 12px; } }
.snnlab-membrane label { display: block; min-width: 0; }
.snnlab-membrane .row { display: flex; justify-content: space-between; gap: 8px; }
.snnlab-membrane output { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
.snnlab-membrane input[type=range] { width: 100%; margin: 2px 0 0; accent-color: var(--v); }
.snnlab-membrane select { width: 100%; font: inherit; color: inherit; padding: 3px;
  background: var(--jp-layout-color1, #fff); border: 1px solid var(--soft); border-radius: 4px; }
.snnlab-membrane :is(input, select):focus-visible { outline: 2px solid var(--v); outline-offset: 2px; }
.snnlab-membrane svg { display: block; contain: strict; width: 100%; height: ${HEIGHT}px; }
.snnlab-membrane .says { margin: 8px 0 0; min-height: 5.6em; }
@container (min-width: 720px) { .snnlab-membrane .says { min-height: 2.8em; } }
.snnlab-membrane text { font: 12px var(--jp-content-font-family, system-ui, sans-serif); fill: var(--ink); }
.snnlab-membrane .name { paint-order: stroke; stroke: var(--jp-layout-color0, #fff); stroke-width: 4px; }
.snnlab-membrane .title { font-weight: 600; }
.snnlab-membrane .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
.snnlab-membrane .grid { stroke: var(--line); }
.snnlab-membrane path { fill: none; }
.snnlab-membrane .trace { stroke: var(--v); stroke-width: 2; }
.snnlab-membrane .reset { stroke: var(--v); stroke-dasharray: 3 3; }
.snnlab-membrane .dot { fill: var(--v); }
.snnlab-membrane .threshold { stroke: var(--theta); stroke-width: 1.5; stroke-dasharray: 7 4; }
.snnlab-membrane .threshold-name { fill: var(--theta); }
.snnlab-membrane .spike { stroke: var(--ink); stroke-width: 3; }
.snnlab-membrane .rate { stroke: var(--rate); stroke-width: 2; }
.snnlab-membrane .rate-dot { fill: var(--rate); }
.snnlab-membrane .relu { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 2 3; }
.snnlab-membrane .relu-name { fill: var(--soft); }
`;

function slider(name, { label, min, max, step }) {
  return `<label><span class="row"><span>${label}</span><output></output></span>
    <input type="range" name="${name}" min="${min}" max="${max}" step="${step}"></label>`;
}

function render({ model, el }) {
  const choices = Object.entries(RESETS).map(([value, text]) => `<option value="${value}">${text}</option>`);
  el.innerHTML = `<style>${STYLE}</style><div class="snnlab-membrane"><div class="panes">
    <div class="controls">${Object.entries(SLIDERS).map(([name, how]) => slider(name, how)).join("")}
      <label><span class="row">reset</span><select name="reset">${choices.join("")}</select></label></div>
    <div><svg role="img" aria-label="Potential, spikes and mean output over the steps"></svg>
      <p class="says" aria-live="polite"></p></div></div></div>`;
  // JupyterLab would take the arrow keys for its notebook.
  el.querySelector(".snnlab-membrane").addEventListener("keydown", (event) => event.stopPropagation());
  const svg = el.querySelector("svg");
  const says = el.querySelector(".says");
  const inputs = [...el.querySelectorAll("[name]")];

  let width = 700; // kept, because asking the page for it in each draw would cost a layout

  function draw() {
    const p = {};
    for (const input of inputs) {
      p[input.name] = input.name === "reset" ? input.value : Number(input.value);
      const value = input.parentElement.querySelector("output");
      if (value) value.textContent = show(p[input.name]);
    }
    const run = simulate(p);
    svg.innerHTML = picture(p, run, width);
    says.textContent = describe(p, run);
  }

  function read() {
    for (const input of inputs) input.value = model.get(input.name);
    draw();
  }

  function moved(event) {
    draw(); // first the picture, then the kernel, which nobody waits for
    const { name, value } = event.target;
    model.set(name, name === "reset" ? value : Number(value));
    model.save_changes();
  }

  for (const input of inputs) {
    input.addEventListener("input", moved);
    model.on(`change:${input.name}`, read);
  }
  const watch = new ResizeObserver(([entry]) => {
    width = entry.contentRect.width || width;
    draw();
  });
  watch.observe(svg);
  read();
  return () => {
    watch.disconnect();
    for (const input of inputs) model.off(`change:${input.name}`, read);
  };
}

export default { render };
