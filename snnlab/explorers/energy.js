// The energy explorer: what a spiking network's arithmetic costs beside its ANN's, over steps, rate and cost per operation.

const PRICES = { float32: { mac: 4.6, add: 0.9 }, int8: { mac: 0.23, add: 0.03 } }; // pJ at 45 nm, Horowitz 2014
export const CONTROLS = {
  precision: { label: say("both networks compute in"), options: { float32: "float32 (45 nm)", int8: "int8 (45 nm)", own: say("own figures") } },
  image: { label: say("the image’s layer is computed"), options: { once: say("once, and kept"), each: say("in every step") } },
  T: { label: say("steps T"), min: 1, max: 64, step: 1 },
  rate: { label: say("spikes per neuron and step"), min: 0, max: 0.5, step: 1 / 256, exact: true },
  first: { label: say("share of the first layer"), min: 0, max: 0.5, step: STEP, exact: true },
  mac: { label: say("multiply and add [pJ]"), min: 0.05, max: 6, step: 0.01, exact: true },
  add: { label: say("add [pJ]"), min: 0.01, max: 6, step: 0.01, exact: true },
};

const pricesOf = (p) => (p.precision === "own" ? { mac: p.mac, add: p.add } : PRICES[p.precision]);

// Parts of the spiking network's energy, in units of the ANN's: every spike adds at as many synapses as a value multiplies.
export function costs(p) {
  const { mac, add } = pricesOf(p);
  const image = p.first * (p.image === "once" ? 1 : p.T);
  return { image, spikes: ((1 - p.first) * p.T * p.rate * add) / mac };
}

// The spikes per neuron, over all steps, at which both cost the same; below 0 if the first layer alone costs more.
export function breakEven(p) {
  const { mac, add } = pricesOf(p);
  return p.first === 1 ? 0 : ((1 - costs(p).image) * mac) / (add * (1 - p.first));
}

const percent = (x) => `${x < 0.1 ? (100 * x).toFixed(1) : Math.round(100 * x)} %`;

export function describe(p) {
  const { image, spikes } = costs(p);
  const sent = p.T * p.rate;
  const even = breakEven(p);
  const verdict =
    even <= 0
      ? say("The first layer alone, computed in every step, costs at least as much as the whole ANN.")
      : say("Break-even at {even} spikes per neuron and image; here {sent} are sent.", { even: show(Math.round(even * 100) / 100), sent: show(Math.round(sent * 100) / 100) });
  return say("The spiking network’s arithmetic costs {share} of the ANN’s. {verdict} Memory and data movement, which dominate in hardware, are left out.", { share: percent(image + spikes), verdict });
}

// --- the picture ---------------------------------------------------------------------------------------------------

const BARS = { top: 30, height: 74 };
const CURVE = { top: 192, height: 200 };
const HEIGHT = 434;

export function picture(p, width) {
  const { image, spikes } = costs(p);
  const most = Math.max(1.25, image + spikes);
  const x = scale(0, most, MARGIN.left + 44, width - MARGIN.right);
  const bar = (row, from, to, css) =>
    `<rect class="${css}" x="${x(from).toFixed(1)}" y="${BARS.top + row * 38}" width="${Math.max(0, x(to) - x(from)).toFixed(1)}" height="26"/>`;
  const name = (row, text) => `<text x="${MARGIN.left + 38}" y="${BARS.top + row * 38 + 18}" text-anchor="end">${text}</text>`;
  return `<text class="title" x="${MARGIN.left}" y="14">${say("arithmetic energy of an image, ANN = 1")}</text>
    ${name(0, "ANN")}${bar(0, 0, p.first, "image")}${bar(0, p.first, 1, "rest")}
    ${name(1, "SNN")}${bar(1, 0, image, "image")}${bar(1, image, image + spikes, "spikes")}
    ${legend(BARS.top + 92, width)}
    ${curve(p, width)}`;
}

const NAMES = [["image", say("the layer that sees the image")], ["rest", say("the other layers")], ["spikes", say("their spikes")]];

// What the parts of the bars are, each with a sample of its look; one below the other where the page is narrow.
function legend(y, width) {
  const narrow = width < 560;
  return NAMES.map(([css, name], k) => {
    const [left, top] = narrow ? [MARGIN.left + 44, y + 16 * k] : [MARGIN.left + 44 + [0, 210, 340][k], y];
    return `<rect class="${css}" x="${left}" y="${top - 10}" width="14" height="11"/><text class="tick" x="${left + 20}" y="${top}">${name}</text>`;
  }).join("");
}

function curve(p, width) {
  const x = scale(0, 64, MARGIN.left, width - MARGIN.right);
  const total = (T) => {
    const { image, spikes } = costs({ ...p, T });
    return image + spikes;
  };
  const highest = Math.min(4, Math.max(1.25, total(64)));
  const y = scale(0, highest, CURVE.top + CURVE.height, CURVE.top);
  const points = [];
  for (let T = 1; T <= 64 && total(T) <= highest; T++) points.push(`${x(T).toFixed(1)},${y(total(T)).toFixed(1)}`);
  const here = total(p.T) <= highest ? `<circle class="dot" r="4" cx="${x(p.T).toFixed(1)}" cy="${y(total(p.T)).toFixed(1)}"/>` : "";
  return `<text class="title" x="${MARGIN.left}" y="${CURVE.top - 12}">${say("the same over the steps")}</text>
    ${axis(y, [0, highest], width)}${level(y, 1, width, "threshold", say("as much as the ANN"))}
    <path class="trace" d="${points.length ? `M${points.join("L")}` : ""}"/>${here}
    ${stepAxis(x, 64, width, CURVE.top + CURVE.height + 18)}
    <text class="tick" x="${width - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">${say("steps T")}</text>`;
}

export function wrongSettings(p) {
  const positive = (x) => Number.isFinite(x) && x > 0;
  const rules = [
    ["T", Number.isInteger(p.T) && p.T >= 1, say("a whole number of steps, 1 or more")],
    ["rate", Number.isFinite(p.rate) && p.rate >= 0, say("a number, 0 or more")],
    ["first", p.first >= 0 && p.first <= 1, say("a share from 0 to 1")],
    ["mac", positive(p.mac), say("an energy greater than 0")],
    ["add", positive(p.add), say("an energy greater than 0")],
  ];
  const wrong = rules.find(([, fine]) => !fine);
  return wrong ? mustBe(wrong[0], p[wrong[0]], wrong[2]) : "";
}

const STYLE = `
.snnlab-energy rect.image { fill: var(--soft); }
.snnlab-energy rect.rest { fill: var(--soft); opacity: 0.4; }
.snnlab-energy rect.spikes { fill: var(--v); }
`;

function render({ model, el }) {
  return mountExplorer({ model, el }, {
    name: "energy",
    aria: say("Energy of the spiking network beside the ANN's, and over the steps"),
    controls: CONTROLS,
    style: STYLE,
    height: () => HEIGHT,
    shown: (name, p) => p.precision === "own" || (name !== "mac" && name !== "add"),
    wrong: wrongSettings,
    draw: (p, width) => [picture(p, width), describe(p)],
  });
}

export default { render };
