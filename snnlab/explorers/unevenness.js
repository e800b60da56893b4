// The unevenness explorer: input spikes that can be moved in time (trains.js), and what all their orders make (orders.js).

const KIND_NAMES = Object.fromEntries(Object.entries(NEURON_KINDS).map(([kind, { label }]) => [kind, label]));
const UNIT_WEIGHTS = { weight_plus: 1, weight_minus: -1 };
const WEIGHED = { weight_plus: "plus", weight_minus: "minus" };
export const EXAMPLES = {
  even: { T: 5, plus: "10101", minus: "01010", threshold: 0.5, share: 0, ...UNIT_WEIGHTS },
  extra: { T: 5, plus: "11100", minus: "00011", threshold: 0.5, share: 0, ...UNIT_WEIGHTS },
  missing: { T: 5, plus: "00111", minus: "11000", threshold: 0.5, share: 0, ...UNIT_WEIGHTS },
  from_nothing: { T: 5, plus: "11000", minus: "00111", threshold: 1, share: 0, ...UNIT_WEIGHTS },
  silent: { T: 5, plus: "00011", minus: "11100", threshold: 1, share: 0, ...UNIT_WEIGHTS },
  clipped: { T: 5, plus: "11111", minus: "00000", threshold: 0.5, share: 0, ...UNIT_WEIGHTS },
};
const EXAMPLE_NAMES = {
  even: say("in turn: exact"),
  extra: say("+ first: spikes too many"),
  missing: say("− first: a spike missing"),
  from_nothing: say("mean below 0, yet spikes"),
  silent: say("v[T] < 0, and all is well"),
  clipped: say("v[T] ≥ θ, but only clipped"),
  own: say("your own"),
};
export const CONTROLS = {
  example: { label: say("example"), options: EXAMPLE_NAMES },
  kind: { label: say("neuron"), options: KIND_NAMES },
  threshold: { label: say("threshold θ"), min: 0.25, max: 2, step: STEP },
  share: { label: "v[0] / θ", min: 0, max: 1 - STEP, step: STEP },
  weight_plus: { label: say("weight of the first input"), min: 0, max: 2, step: STEP },
  weight_minus: { label: say("weight of the second"), min: -2, max: 0, step: STEP },
  T: { label: say("steps T"), min: 1, max: 8, step: 1 },
};

// --- in words ----------------------------------------------------------------------------------------------------

const COUNTS = [
  say("no spikes"), say("one spike"), say("two spikes"), say("three spikes"), say("four spikes"),
  say("five spikes"), say("six spikes"), say("seven spikes"), say("eight spikes"),
];
const spikes = (n) => COUNTS[n] ?? spikesSaid(n);

export function describe(p, run) {
  const right = evenly(p)[p.T - 1];
  const mean = total(p) / p.T;
  const relu = Math.max(mean, 0);
  const rate = (p.threshold * run.count) / p.T;
  const even = losesCharge(p) ? say("Arriving evenly at a neuron that loses nothing") : say("Arriving evenly");
  const ann = say("The mean input is {mean}, so the ANN’s ReLU says {relu}.", { mean: show(mean), relu: show(relu) });
  const orders = { even, right: spikes(right), count: spikes(run.count), rate: show(rate) };
  return together(ann, say("{even} it would make {right}; in this order {count}, a mean output of {rate}.", orders), verdict(p, run, right));
}

const losesCharge = (p) => p.kind === "ca_lif_hard_reset" || neuronOf(p).leak < 1;

function verdict(p, run, right) {
  const n = neuronOf(p);
  const left = run.v[p.T - 1];
  const off = run.count - right;
  const given = { amount: amount(off), v: `v[T] = ${show(left)}`, count: spikes(run.count), most: spikes(n.max_spikes), why: debt(n, run) };
  if (losesCharge(p))
    return off ? say("{amount}; but this neuron loses charge, so {v} does not tell.", given) : say("Right, although this neuron loses charge.");
  if (off > 0) return say("{amount}: sent before the rest of the input was known. {v} is below 0, a debt, with {count} standing. {why}", given);
  if (off < 0) return say("{amount}: the charge is there, but it came too late to be sent. {v} is not below θ, and there was room for more spikes.", given);
  if (left < 0) return say("Right. {v} is below 0, yet no spike stands that should not: a neuron whose input is negative ends here. To count it as an error would be a false alarm.", given);
  if (left < p.threshold) return say("Right: {v} lies from 0 to below θ, so no other number of spikes would fit the charge.", given);
  return n.max_spikes > 1
    ? say("{v} is not below θ, but {most} went out in every step: this is clipping, whatever the order.", given)
    : say("{v} is not below θ, but a spike went out in every step: this is clipping, whatever the order.", given);
}

function amount(off) {
  const number = spikes(Math.abs(off)).replace(/^./, (c) => c.toUpperCase());
  return off > 0 ? say("{number} too many", { number }) : say("{number} missing", { number });
}

function wrong(p) {
  for (const [name, { min, max, step }] of Object.entries(CONTROLS))
    if (step && !(p[name] >= min && p[name] <= max))
      return outOfRange(name, p[name], min, max);
  for (const [name, input] of Object.entries(TRAINS)) {
    const train = p[name];
    if (typeof train !== "string" || !/^[01]*$/.test(train) || train.length !== p.T)
      return say("{name} = “{train}”, but {input} is {T} digits, 0 or 1, one for each step.", { name, train, input, T: p.T });
  }
  return "";
}

// --- the picture -------------------------------------------------------------------------------------------------

const PANELS = {
  v: { top: 30, height: 150 },
  out: { top: 210, height: 26 },
  even: { top: 260, height: 26 },
  ways: { top: 328, height: 92 },
};
const HEIGHT = 472;

export function picture(p, run, width) {
  const x = stepScale(p, width);
  return membranePanel(p, run, width, x) + spikePanels(p, run, width, x) + waysPanel(p, run, width);
}

function membranePanel(p, run, width, x) {
  const n = neuronOf(p);
  const span = range([n.v0, p.threshold, ...run.peak, ...run.v]);
  const y = scale(...span, PANELS.v.top + PANELS.v.height, PANELS.v.top);
  const last = run.v[p.T - 1];
  const outside = last < 0 || last >= p.threshold;
  return `<text class="title" x="${MARGIN.left}" y="12">${say("potential v[t], ▲ where it fires")}</text>${axis(y, span, width)}
    ${potentialTrace(n.v0, run, x, y)}${level(y, p.threshold, width, "threshold", "")}
    <text class="name threshold-name" x="${MARGIN.left + 4}" y="${y(p.threshold).toFixed(1)}" dy="-4">θ</text>
    <circle class="last${outside ? " outside" : ""}" cx="${x(p.T).toFixed(1)}" cy="${y(last).toFixed(1)}" r="6"/>
    <text class="title${outside ? " threshold-name" : ""}" x="${width - MARGIN.right}" y="12" text-anchor="end">v[T] = ${show(last)}</text>`;
}

function spikePanels(p, run, width, x) {
  const even = evenly(p).map((count, i, all) => count - (all[i - 1] ?? 0));
  const row = ({ top, height }, sent, css, title) => {
    const back = sent.some((s) => s < 0);
    const base = back ? top + height / 2 : top + height;
    const tall = (base - top) / Math.max(1, ...sent);
    const bars = (sign) => sent.map((s, i) => (sign * s > 0 ? `M${x(i + 1).toFixed(1)},${base}V${(base - tall * s).toFixed(1)}` : "")).join("");
    return `<text class="title" x="${MARGIN.left}" y="${top - 7}">${title}</text>
      <line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${base}" y2="${base}"/>
      <path class="${css}" d="${bars(1)}"/><path class="back" d="${bars(-1)}"/>`;
  };
  const sent = { spikes: spikesSaid(run.count) };
  const sends = run.spike.some((s) => s < 0) ? say("it sends: {spikes} net", sent) : say("it sends: {spikes}", sent);
  return `${row(PANELS.out, run.spike, "spike", sends)}
    ${row(PANELS.even, even, "spike evenly", say("if the same input came evenly: {spikes}", { spikes: spikesSaid(evenly(p)[p.T - 1]) }))}
    ${stepAxis(x, p.T, width, PANELS.even.top + PANELS.even.height + 16)}`;
}

function waysPanel(p, run, width) {
  const ways = ordersOnce(p, p.kind);
  const right = evenly(p)[p.T - 1];
  const all = ways.reduce((sum, n) => sum + n, 0);
  const { top, height } = PANELS.ways;
  const title = all === 1 ? say("spikes sent: this input has one order only") : say("spikes sent, over all {all} orders of this input", { all: all.toLocaleString("en") });
  const columns = Math.max(ways.length, right + 1, run.count + 1, 4);
  const room = (width - MARGIN.left - MARGIN.right) / columns;
  const y = scale(0, Math.max(...ways) / all, top + height, top + 14);
  let bars = "";
  for (let k = 0; k < columns; k++) {
    const share = (ways[k] ?? 0) / all;
    const middle = MARGIN.left + room * (k + 0.5);
    const wide = Math.min(room * 0.6, 56);
    const css = k === right ? "right-bar" : "wrong-bar";
    bars += `<rect class="${css}${k === run.count ? " here" : ""}" x="${(middle - wide / 2).toFixed(1)}" y="${y(share).toFixed(1)}"
      width="${wide.toFixed(1)}" height="${(top + height - y(share)).toFixed(1)}"/>
      <text class="tick" x="${middle.toFixed(1)}" y="${(y(share) - 4).toFixed(1)}" text-anchor="middle">${share ? percent(share) : ""}</text>
      <text class="${k === run.count ? "title" : "tick"}" x="${middle.toFixed(1)}" y="${top + height + 16}" text-anchor="middle">${k}${k === run.count ? " ▲" : ""}</text>`;
  }
  return `<text class="title" x="${MARGIN.left}" y="${top - 8}">${title}</text>
    <line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${top + height}" y2="${top + height}"/>${bars}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 4}" text-anchor="end">${say("▲ this order · green: as many as for even arrival")}</text>`;
}

function percent(share) {
  if (share > 0 && share < 0.005) return "< 1 %";
  return share < 1 && share >= 0.995 ? "> 99 %" : `${Math.round(100 * share)} %`;
}

const STYLE = `
.snnlab-unevenness .says { min-height: 9.8em; }
@container (min-width: 720px) { .snnlab-unevenness .says { min-height: 5.6em; } }
.snnlab-unevenness table { width: 100%; border-collapse: collapse; margin: 8px 0 0; font-variant-numeric: tabular-nums; }
.snnlab-unevenness :is(th, td) { padding: 3px 6px 3px 0; text-align: left; font-weight: normal; border-top: 1px solid var(--line);
  background: transparent; color: inherit; font-size: 13px; }
.snnlab-unevenness thead :is(th, td) { border: 0; color: var(--soft); vertical-align: bottom; font-size: 12px; }
.snnlab-unevenness tr[aria-current] :is(th, td) { font-weight: 600; }
.snnlab-unevenness .share { display: inline-block; vertical-align: middle; width: calc(100% - 4.2em); height: 9px; margin-right: 6px;
  background: linear-gradient(to right, var(--rate) var(--part), var(--line) var(--part)); }
.snnlab-unevenness td:last-child { width: 38%; white-space: nowrap; padding-right: 0; }
.snnlab-unevenness .evenly { stroke: var(--rate); }
.snnlab-unevenness .last { fill: none; stroke: var(--v); stroke-width: 2; }
.snnlab-unevenness .last.outside { stroke: var(--theta); stroke-width: 2.5; }
.snnlab-unevenness .right-bar { fill: var(--rate); }
.snnlab-unevenness .wrong-bar { fill: var(--soft); fill-opacity: 0.45; }
.snnlab-unevenness .here { stroke: var(--ink); stroke-width: 2; }
`;

function table(p) {
  const rows = compared(p).map(({ kind, count, right, share }) => {
    const off = count - right;
    return `<tr${kind === p.kind ? ' aria-current="true"' : ""}><th scope="row">${KIND_NAMES[kind]}</th><td>${count}</td><td>${off > 0 ? `+${off}` : show(off)}</td>
      <td><span class="share" style="--part:${(100 * share).toFixed(1)}%"></span>${percent(share)}</td></tr>`;
  });
  return `<thead><tr><th scope="col">${say("neuron")}</th><th scope="col">${say("spikes")}</th><th scope="col">${say("off by")}</th><th scope="col">${say("right in … of all orders")}</th></tr></thead>
    <tbody>${rows.join("")}</tbody>`;
}

function changed(name, p) {
  if (name === "kind") return {};
  if (name === "example") return EXAMPLES[p.example] ?? {};
  if (name !== "T") return { example: "own" };
  const fit = (train) => train.slice(0, p.T).padEnd(p.T, "0");
  return { example: "own", plus: fit(p.plus), minus: fit(p.minus) };
}

function render({ model, el }) {
  let trains = null;
  let kinds = null;
  const down = mountExplorer({ model, el }, {
    name: "unevenness",
    aria: say("Potential and spikes over the steps, and the spikes sent over all orders of the input"),
    controls: CONTROLS,
    more: Object.keys(TRAINS),
    style: TRAINS_LOOK + STYLE,
    height: () => HEIGHT,
    shown: (name, p) => !(name in WEIGHED) || spikesIn(p[WEIGHED[name]]) > 0, // the weight of no spikes moves nothing
    changed,
    wrong,
    draw(p, width) {
      const run = simulate(p);
      trains?.show(width);
      if (kinds) kinds.innerHTML = table(p);
      return [picture(p, run, width), describe(p, run)];
    },
    ready(root, hands) {
      kinds = document.createElement("table");
      root.querySelector(".says").after(kinds);
      trains = mountTrains(root, hands);
      hands.draw();
    },
  });
  return () => {
    down();
    trains.leave();
  };
}

export default { render };
