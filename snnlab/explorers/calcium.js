// The Ca-LIF explorer: potential, calcium and spikes of both neurons, and what the mean output makes of a constant input.

const TWO = { ca_lif: "bipolar, calcium is the gate", ca_lif_hard_reset: "leaky, clamped hard reset" };
export const CONTROLS = {
  kind: { label: "Ca-LIF neuron", options: TWO },
  arrival: { label: "the input arrives", options: ARRIVALS },
  current: { label: "mean input z", min: -1, max: 2, step: STEP },
  threshold: { label: "threshold θ", min: 0.25, max: 2, step: STEP },
  v0: { label: "initial potential v[0]", min: -1, max: 2, step: STEP },
  T: { label: "steps T", min: 1, max: 64, step: 1 },
  leak: { label: "share of v kept (leak)", min: 0, max: 1, step: STEP },
  decay: { label: "calcium kept (decay)", min: 0, max: 1, step: STEP },
  tau: { label: "time constant τ", min: 1, max: 16, step: 0.25 },
  tau_c: { label: "calcium’s τ", min: 1, max: 16, step: 0.25 },
  rest: { label: "reset without calcium, in θ", min: -2, max: 0, step: STEP },
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
  const rate = (p.threshold * run.count) / p.T;
  const relu = Math.max(p.current, 0);
  const spikes = down ? `${plural(up, "spike")}, ${down} of them taken back` : plural(up, "spike");
  return `${spikes}: the mean output ${show(rate)}, where ReLU(z) = ${show(relu)}. ${p.kind === "ca_lif" ? gate(p, run, rate - relu) : clamped(p, run)}`;
}

function gate(p, run, gap) {
  const left = run.v[p.T - 1];
  const open = p.decay === 1 ? run.count > 0 : run.calcium[p.T - 1] > GATE;
  if (p.leak < 1) return "The leak loses charge in each step: the curve below lies under ReLU.";
  if (left <= -p.threshold && run.count > 0 && !open)
    return `v[T] = ${show(left)} asks for a negative spike, but the calcium has faded: the gate is shut, and the surplus stays.`;
  if (left < 0 && run.count > 0) return `v[T] = ${show(left)}: the surplus is less than a spike of −θ, and stays.`;
  if (p.decay === 1 && run.spike.some((s) => s < 0)) return "Calcium that does not fade is the number of spikes so far: this is SNM.";
  if (Math.abs(gap) < p.threshold / p.T) return "Right to less than a spike.";
  return "The rest is still in v[T], or was clipped.";
}

function clamped(p, run) {
  if (run.count === 0 && p.current > 0 && p.current <= p.threshold)
    return "v tends to z and never passes θ: whatever lies below the threshold is not heard.";
  if (run.count === 0) return "Silent.";
  return "It looks at the v of the step before, and a reset forgets how far v was above θ: the curve below is no ReLU.";
}

// --- the picture ---------------------------------------------------------------------------------------------------

const PANELS = {
  z: { top: 22, height: 54 }, v: { top: 104, height: 150 }, calcium: { top: 284, height: 70 },
  spikes: { top: 382, height: 36 }, rate: { top: 470, height: 150 },
};
const HEIGHT = 654;

export function picture(p, run, curve, width) {
  const x = scale(0, p.T, MARGIN.left, width - MARGIN.right);
  const lower = p.kind === "ca_lif" ? [-p.threshold] : [p.rest * p.threshold];
  const down = (panel, span) => scale(...span, panel.top + panel.height, panel.top);
  const spans = { z: range(run.z), v: range([p.v0, p.threshold, ...lower, ...run.peak, ...run.v]), calcium: range([0.5, ...run.calcium]) };
  const yz = down(PANELS.z, spans.z);
  const yv = down(PANELS.v, spans.v);
  const yc = down(PANELS.calcium, spans.calcium);
  const title = (panel, text) => `<text class="title" x="${MARGIN.left}" y="${panel.top - 10}">${text}</text>`;
  return `${title(PANELS.z, "input z[t]")}${axis(yz, spans.z, width, 4)}${bars(run.z, x, yz)}
    ${title(PANELS.v, "potential v[t]")}${axis(yv, spans.v, width)}${membranePath(p, run, x, yv)}
    ${level(yv, p.threshold, width, "threshold", "θ")}
    ${p.kind === "ca_lif" ? level(yv, -p.threshold, width, "threshold", "−θ, while the gate is open") : ""}
    ${title(PANELS.calcium, p.kind === "ca_lif" ? "calcium c[t]: the gate is open above 0.001" : "calcium c[t]: the reset goes to 0 while there is some")}
    ${axis(yc, spans.calcium, width, 4)}${gateArea(p, run, x)}${calciumPath(run, x, yc)}
    ${title(PANELS.spikes, "spikes, and those taken back")}${spikePaths(run, x, width)}${stepAxis(x, p.T, width, PANELS.spikes.top + PANELS.spikes.height + 18)}
    ${title(PANELS.rate, "mean output over a constant input, after T steps")}${rates(p, curve, width)}`;
}

const bars = (values, x, y) =>
  `<path class="drive" d="${values.map((z, t) => `M${x(t + 1).toFixed(1)},${y(0).toFixed(1)}V${y(z).toFixed(1)}`).join("")}"/>`;

function membranePath(p, run, x, y) {
  let path = `M${x(0).toFixed(1)},${y(p.v0).toFixed(1)}`;
  let resets = "";
  for (let t = 1; t <= p.T; t++) {
    const at = x(t).toFixed(1);
    path += `L${at},${y(run.peak[t - 1]).toFixed(1)}`;
    if (run.spike[t - 1]) {
      resets += `M${at},${y(run.peak[t - 1]).toFixed(1)}V${y(run.v[t - 1]).toFixed(1)}`;
      path += `M${at},${y(run.v[t - 1]).toFixed(1)}`;
    }
  }
  return `<path class="trace" d="${path}"/><path class="reset" d="${resets}"/>`;
}

// A stripe under the steps in which the gate is open.
function gateArea(p, run, x) {
  const open = (t) => (p.kind === "ca_lif" && p.decay === 1 ? sumTo(run.spike, t) > 0 : run.calcium[t] > GATE);
  const { top, height } = PANELS.calcium;
  const wide = (x(1) - x(0)).toFixed(1);
  return run.calcium
    .map((_, t) => (open(t) ? `<rect class="open" x="${x(t + 1).toFixed(1)}" y="${top}" width="${t === p.T - 1 ? 0 : wide}" height="${height}"/>` : ""))
    .join("");
}

const sumTo = (values, last) => values.slice(0, last + 1).reduce((sum, value) => sum + value, 0);

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

function rates(p, curve, width) {
  const { top, height } = PANELS.rate;
  const span = [0, p.threshold * 1.5];
  const x = scale(-p.threshold / 2, p.threshold * 1.5, MARGIN.left, width - MARGIN.right);
  const y = scale(...span, top + height, top);
  const path = curve.map(({ z, rate }) => `${x(z).toFixed(1)},${y(rate).toFixed(1)}`).join("L");
  const inside = p.current >= -p.threshold / 2 && p.current <= 1.5 * p.threshold;
  const here = inside ? `<line class="here" x1="${x(p.current)}" x2="${x(p.current)}" y1="${top}" y2="${top + height}"/>` : "";
  const numbers = ticks([-p.threshold / 2, p.threshold * 1.5])
    .map((tick) => `<text class="tick" x="${x(tick).toFixed(1)}" y="${top + height + 16}" text-anchor="middle">${show(tick)}</text>`)
    .join("");
  return `${axis(y, span, width)}${level(y, p.threshold, width, "threshold", "θ")}${here}
    <path class="relu" d="M${x(-p.threshold / 2)},${y(0)}H${x(0)}L${x(1.5 * p.threshold)},${y(1.5 * p.threshold)}"/>
    <path class="rate" d="M${path}"/>${numbers}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">constant input z; dotted: ReLU</text>`;
}

const STYLE = `
.snnlab-calcium .drive { stroke: var(--soft); stroke-width: 3; }
.snnlab-calcium .calcium { stroke: var(--back); stroke-width: 2; }
.snnlab-calcium .open { fill: var(--back); opacity: 0.12; }
.snnlab-calcium .here { stroke: var(--soft); }
`;

function render({ model, el }) {
  return mountExplorer({ model, el }, {
    name: "calcium",
    aria: "Input, potential, calcium and spikes over the steps, and the mean output over a constant input",
    controls: CONTROLS,
    style: STYLE,
    height: () => HEIGHT,
    shown: (name, p) => ALWAYS.includes(name) || OWN[p.kind].includes(name),
    wrong: (p) => wrongNeuron({ ...neuronOf(p), T: p.T }),
    draw(p, width) {
      const run = simulate(p);
      return [picture(p, run, rateCurve(p), width), describe(p, run)];
    },
  });
}

export default { render };
