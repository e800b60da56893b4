// The transfer explorer: what a neuron's mean output makes of a constant input, and what that costs a layer, by threshold.

const POINTS = 128; // thresholds of the lower picture

// Sliders for activations up to `top`, a power of two, so that a threshold's steps are dyadic.
export function controlsFor(top) {
  const step = top / 512;
  return {
    threshold: { label: say("threshold θ"), min: step, max: top, step, exact: true },
    T: { label: say("steps T"), min: 1, max: 128, step: 1 },
    share: { label: say("start v[0], in θ"), min: 0, max: 63 / 64, step: STEP },
    levels: { label: say("ANN’s levels L (0: ReLU)"), min: 0, max: 32, step: 1 },
  };
}

// Spikes of an IF neuron after T steps of a constant input a: clip(floor((T a + v0) / θ), 0, T).
const spikesFor = (a, { threshold, T, share }) =>
  Math.min(T, Math.max(0, Math.floor((T * a + share * threshold) / threshold)));
const outputFor = (a, p) => (p.threshold * spikesFor(a, p)) / p.T;

// The ANN's own activation: ReLU, or rounded to the nearest of L levels and clipped (QCFS).
function annFor(a, { threshold, levels }) {
  if (levels === 0) return Math.max(0, a);
  return (threshold * Math.floor(levels * Math.min(1, Math.max(0, a / threshold)) + 0.5)) / levels;
}

// Mean squares over the activations: what lies above the threshold is clipped, below it is rounded.
// Each of p.values stands for as many activations as p.weights says.
export function losses(p) {
  let clipping = 0;
  let quantisation = 0;
  let above = 0;
  let n = 0;
  p.values.forEach((a, k) => {
    const weight = p.weights[k];
    const error = outputFor(a, p) - a;
    n += weight;
    if (a > p.threshold) {
      clipping += weight * error * error;
      above += weight;
    } else quantisation += weight * error * error;
  });
  return { clipping: clipping / n, quantisation: quantisation / n, above: above / n };
}

// The losses for thresholds up to the largest activation, and the threshold whose sum is least.
export function sweep(p) {
  const largest = reach(p);
  const curve = Array.from({ length: POINTS }, (_, k) => {
    const threshold = (largest * (k + 1)) / POINTS;
    return { threshold, ...losses({ ...p, threshold }) };
  });
  const sum = (point) => point.clipping + point.quantisation;
  return { curve, best: curve.reduce((least, point) => (sum(point) < sum(least) ? point : least)) };
}

export const transferOf = (p) => ({ spikes: p.values.map((a) => spikesFor(a, p)), ann: p.values.map((a) => annFor(a, p)) });

const reach = (p) => p.values.reduce((most, a) => Math.max(most, a), 0);

// --- in words and pictures ---------------------------------------------------------------------------------------

const three = (x) => (x === 0 ? "0" : x.toPrecision(2).replace(/e(.+)/, (_, power) => `·10${raised(power)}`));
const raised = (power) => [...power.replace("+", "")].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("");

function percent(share) {
  return share < 0.001 ? say("less than 0.1 %") : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

export function describe(p, now, best) {
  const total = now.clipping + now.quantisation;
  const least = best.clipping + best.quantisation;
  const sizes = { theta: show(p.threshold), share: percent(now.above), clipping: three(now.clipping), rounding: three(now.quantisation) };
  const parts = now.above
    ? say("θ = {theta} clips {share} of the layer’s activations: mean square {clipping}; rounding adds {rounding}.", sizes)
    : say("θ = {theta} clips none of the layer’s activations: mean square {clipping}; rounding adds {rounding}.", sizes);
  const where =
    total <= 1.02 * least
      ? say("No threshold does much better.")
      : say("Together {total}; the least, {least}, is at θ = {best}, {trade}.", { total: three(total), least: three(least), best: show(best.threshold), trade: trade(p, now, best) });
  return say("{parts} {where} {levels}", { parts, where, levels: ofLevels(p) });
}

// What the best threshold gives up, and gains, if it does both.
function trade(p, now, best) {
  if (best.threshold < p.threshold)
    return best.quantisation < now.quantisation && best.clipping > now.clipping ? say("lower: finer steps are worth more clipping") : say("lower");
  return best.clipping < now.clipping && best.quantisation > now.quantisation ? say("higher: less clipping is worth coarser steps") : say("higher");
}

function ofLevels(p) {
  if (p.levels === 0) return "";
  if (p.levels === p.T && p.share === 0.5) return say("T = L and v[0] = θ/2: the neuron says exactly what the ANN says.");
  return say("The ANN’s own staircase (dotted) is met exactly where T = L and v[0] = θ/2.");
}

const TOP = { top: 22, height: 230 };
const LOW = { top: 292, height: 150 };
const HEIGHT = 482;

export function picture(p, swept, width) {
  const right = Math.max(reach(p) * 1.02, p.threshold * 1.25);
  const x = scale(0, right, MARGIN.left, width - MARGIN.right);
  const highest = lowSpan(swept);
  const y = scale(0, right, TOP.top + TOP.height, TOP.top);
  const yl = scale(0, highest * 1.1, LOW.top + LOW.height, LOW.top);
  const at = x(p.threshold).toFixed(1);
  return `<defs><clipPath id="low"><rect x="${MARGIN.left}" y="${LOW.top}" width="${width}" height="${LOW.height}"/></clipPath></defs>
    <text class="title" x="${MARGIN.left}" y="12">${say("mean output over the input, after T steps")}</text>${axis(y, [0, right], width)}
    ${histogram(p, x, right)}${areas(p, x, y, right)}
    <path class="relu" d="M${x(0)},${y(0)}L${x(right)},${y(right)}"/>
    <text class="name relu-name" x="${x(right * 0.93)}" y="${y(right * 0.97)}" text-anchor="end">ReLU</text>
    ${p.levels ? `<path class="ann" d="${stairs((a) => annFor(a, p), jumps(p.levels, 0.5, p), x, y, right)}"/>` : ""}
    <path class="trace" d="${stairs((a) => outputFor(a, p), jumps(p.T, p.share, p), x, y, right)}"/>
    ${lowAxis(yl, highest * 1.1, width)}<g clip-path="url(#low)">
    ${line(swept.curve, (point) => point.clipping, "clipping", x, yl)}
    ${line(swept.curve, (point) => point.quantisation, "rounding", x, yl)}
    ${line(swept.curve, (point) => point.clipping + point.quantisation, "trace", x, yl)}</g>
    ${legend(width)}
    <circle class="dot" r="4" cx="${x(swept.best.threshold).toFixed(1)}" cy="${yl(swept.best.clipping + swept.best.quantisation).toFixed(1)}"/>
    <line class="threshold" x1="${at}" x2="${at}" y1="${TOP.top}" y2="${LOW.top + LOW.height}"/>
    <text class="name threshold-name" x="${at}" y="${LOW.top - 28}" text-anchor="middle">θ</text>
    <text class="title name" x="${MARGIN.left}" y="${LOW.top - 10}">${say("mean squared error of the layer, over θ")}</text>
    ${valueAxis(x, right, HEIGHT - 20)}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 4}" text-anchor="end">${say("input, and threshold [activation units]")}</text>`;
}

// The height of the lower picture: the least sum stands well above the axis, and what is dearer leaves at the top.
function lowSpan({ curve, best }) {
  const sum = (point) => point.clipping + point.quantisation;
  return Math.min(Math.max(...curve.map(sum)), 5 * sum(best)) || 1;
}

// Where a staircase of n steps that starts at `share` of one jumps.
const jumps = (n, share, { threshold }) => Array.from({ length: n }, (_, k) => ((k + 1 - share) * threshold) / n);

function stairs(value, places, x, y, right) {
  let path = `M${x(0)},${y(value(0)).toFixed(1)}`;
  let height = value(0);
  for (const place of places.filter((place) => place <= right)) {
    const next = value(place + 1e-9 * right);
    path += `L${x(place).toFixed(1)},${y(height).toFixed(1)}L${x(place).toFixed(1)},${y(next).toFixed(1)}`;
    height = next;
  }
  return `${path}L${x(right)},${y(height).toFixed(1)}`;
}

// Between the staircase and ReLU: rounding up to the threshold, clipping above it.
function areas(p, x, y, right) {
  const end = Math.min(p.threshold, right);
  const steps = stairs((a) => outputFor(a, p), jumps(p.T, p.share, p).filter((place) => place < end), x, y, end);
  const clipped = `M${x(end)},${y(end)}L${x(right)},${y(end)}L${x(right)},${y(right)}Z`;
  return `<path class="rounding-area" d="${steps}L${x(end)},${y(end)}L${x(0)},${y(0)}Z"/><path class="clipping-area" d="${clipped}"/>`;
}

// The layer's activations above zero, in bins, along the bottom.
function histogram(p, x, right) {
  const bins = new Array(48).fill(0);
  p.values.forEach((a, k) => {
    if (a > 0) bins[Math.min(47, Math.floor((a / right) * 48))] += p.weights[k];
  });
  const most = Math.max(...bins);
  const base = TOP.top + TOP.height;
  return bins
    .map((n, k) => {
      const left = x((k * right) / 48);
      const high = n ? Math.max(1, (n / most) * 60) : 0; // a few far out are seen too
      return `<rect class="histogram" x="${left.toFixed(1)}" y="${(base - high).toFixed(1)}" width="${(x(((k + 1) * right) / 48) - left).toFixed(1)}" height="${high.toFixed(1)}"/>`;
    })
    .join("");
}

function line(curve, value, css, x, y) {
  const points = curve.map((point) => `${x(point.threshold).toFixed(1)},${Math.max(-9999, y(value(point))).toFixed(1)}`);
  return `<path class="${css}" d="M${points.join("L")}"/>`;
}

const NAMES = [["trace", say("sum")], ["clipping", say("clipping")], ["rounding", say("rounding")]];

function legend(width) {
  return NAMES.map(([css, name], k) => {
    const left = width - MARGIN.right - 84;
    const at = LOW.top + 12 + 16 * k;
    return `<path class="${css}" d="M${left},${at - 4}h20"/><text class="name" x="${left + 26}" y="${at}">${name}</text>`;
  }).join("");
}

function lowAxis(y, highest, width) {
  return [0, 0.5, 1]
    .map((part) => {
      const at = y(part * highest).toFixed(1);
      return `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${at}" y2="${at}"/>
        <text class="tick" x="${MARGIN.left - 6}" y="${at}" dy="0.32em" text-anchor="end">${three(part * highest)}</text>`;
    })
    .join("");
}

function valueAxis(x, right, y) {
  return ticks([0, right])
    .map((tick) => `<text class="tick" x="${x(tick).toFixed(1)}" y="${y}" text-anchor="middle">${show(tick)}</text>`)
    .join("");
}

export function wrongSettings(p) {
  if (!(Number.isFinite(p.threshold) && p.threshold > 0)) return mustBe("threshold", p.threshold, say("a number greater than 0"));
  if (!(Number.isInteger(p.T) && p.T >= 1)) return mustBe("T", p.T, say("a whole number of steps, 1 or more"));
  if (!(p.share >= 0 && p.share < 1)) return say("share = {share}, but the start lies from 0 to below 1, in thresholds.", p);
  if (!(Number.isInteger(p.levels) && p.levels >= 0)) return mustBe("levels", p.levels, say("a whole number, 0 or more"));
  if (p.weights.length !== p.values.length) return say("weights has {weights} numbers, but values has {values}: one for each.", { weights: p.weights.length, values: p.values.length });
  return p.values.length ? "" : say("values is empty, but there must be one activation or more.");
}

const STYLE = `
.snnlab-transfer .histogram { fill: var(--line); }
.snnlab-transfer .rounding-area { fill: var(--rate); opacity: 0.3; }
.snnlab-transfer .clipping-area { fill: var(--theta); opacity: 0.25; }
.snnlab-transfer .clipping { stroke: var(--theta); stroke-width: 1.5; stroke-dasharray: 7 4; }
.snnlab-transfer .rounding { stroke: var(--rate); stroke-width: 1.5; stroke-dasharray: 2 2; }
.snnlab-transfer .ann { stroke: var(--back); stroke-width: 2; stroke-dasharray: 2 3; }
`;

function render({ model, el }) {
  let key = "";
  let swept;
  return mountExplorer({ model, el }, {
    name: "transfer",
    aria: say("Mean output over the input, and the error of the layer over the threshold"),
    controls: controlsFor(model.get("top")),
    more: ["values", "weights"],
    style: STYLE,
    height: () => HEIGHT,
    wrong: wrongSettings,
    draw(p, width) {
      if (key !== `${p.T} ${p.share}` || !swept || swept.values !== p.values) {
        swept = { ...sweep(p), values: p.values }; // does not depend on the threshold: not computed while it moves
        key = `${p.T} ${p.share}`;
      }
      return [picture(p, swept, width), describe(p, losses(p), swept.best)];
    },
  });
}

export default { render };
