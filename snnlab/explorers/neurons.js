// Every kind of neuron of the package neurons/, operation for operation: the tests hold the two together bit for bit.
// A neuron is an object of numbers, p; a state is { v, count, calcium }. Nothing here is changed in place.

const GATE = 1e-3; // calcium below this is gone

// `settings` are the numbers in which the kinds differ; the step reads no others.
const NEURON_KINDS = {
  if: { label: "IF", settings: { reset: "subtract" } },
  lif: { label: say("LIF (leaky)"), settings: { reset: "subtract", leak: 0.875 } },
  burst: { label: say("IF with bursts"), settings: { max_spikes: 4 } },
  snm: { label: say("SNM (signed, with memory)"), settings: { negative: 1 } },
  zero_threshold: { label: say("zero-threshold signed"), settings: { negative: 0 } },
  st_bif: { label: say("ST-BIF (count-capped)"), settings: { negative: 0, cap: 8 } },
  ca_lif: { label: say("Ca-LIF (bipolar)"), settings: { negative: 1, decay: 0.875, leak: 1 } },
  ca_lif_hard_reset: { label: say("Ca-LIF, hard reset"), settings: { tau: 4, tau_c: 4, rest: 0 } },
};

const NO_SETTINGS = { threshold: 1, v0: 0, leak: 1, reset: "subtract", max_spikes: 1, negative: null, cap: null, decay: 1 };

// All numbers of a neuron: those given, else those of its kind, else those that change nothing.
function completeNeuron(p) {
  return { ...NO_SETTINGS, ...NEURON_KINDS[p.kind].settings, ...p };
}

function startNeuron(p) {
  return { v: p.v0, count: 0, calcium: 0 };
}

// One step of a complete neuron: the next state, the potential before the reset (peak), and the spike.
function stepNeuron(p, { v, count, calcium }, z) {
  if (p.kind === "ca_lif_hard_reset") return stepHardReset(p, { v, count, calcium }, z);
  const peak = p.leak === 1 ? v + z : p.leak * v + z; // charge
  let spike = 0; // fire
  for (let k = 1; k <= p.max_spikes; k++) if (peak >= k * p.threshold) spike++;
  if (p.cap !== null && count >= p.cap) spike = 0;
  const open = p.decay === 1 ? count > 0 : calcium > GATE;
  if (p.negative !== null && open && peak < 0 && peak <= -p.negative * p.threshold) spike = -1;
  let after = peak - p.threshold * spike; // pay
  if (p.reset === "zero" && spike) after = 0;
  return { v: after, count: count + spike, calcium: p.decay * calcium + spike, peak, spike };
}

function stepHardReset(p, { v, count, calcium }, z) {
  const spike = v >= p.threshold ? 1 : 0; // on the potential of the step before
  const charged = v + (z - v) / p.tau;
  const floor = calcium > GATE ? 0 : p.rest * p.threshold;
  const faded = (1 - 1 / p.tau_c) * calcium;
  return { v: spike ? floor : charged, count: count + spike, calcium: spike ? 1 : faded, peak: charged, spike };
}

// What is wrong with a neuron's numbers, in words for the page; "" if nothing is.
function wrongNeuron(p) {
  const share = (x) => Number.isFinite(x) && x >= 0 && x <= 1;
  const whole = (x) => Number.isInteger(x) && x >= 1;
  const [part, count] = [say("a share from 0 to 1"), say("a whole number, 1 or more")];
  const rules = [
    ["threshold", Number.isFinite(p.threshold) && p.threshold > 0, say("a number greater than 0")],
    ["v0", Number.isFinite(p.v0), say("a finite number")],
    ["leak", share(p.leak), part],
    ["decay", share(p.decay), part],
    ["reset", p.reset === "subtract" || p.reset === "zero", say("“subtract” or “zero”")],
    ["max_spikes", whole(p.max_spikes), count],
    ["cap", p.cap === null || whole(p.cap), count],
    ["tau", p.tau === undefined || p.tau >= 1, say("a number of steps, 1 or more")],
    ["tau_c", p.tau_c === undefined || p.tau_c >= 1, say("a number of steps, 1 or more")],
    ["rest", p.rest === undefined || Number.isFinite(p.rest), say("a finite number of thresholds")],
    ["current", p.current === undefined || Number.isFinite(p.current), say("a finite number")],
    ["T", p.T === undefined || whole(p.T), say("a whole number of steps, 1 or more")],
  ];
  const wrong = rules.find(([, fine]) => !fine);
  return wrong ? mustBe(wrong[0], p[wrong[0]], wrong[2]) : "";
}
