// Two trains of input spikes and the neuron that adds them up: what it sends, what it would send if the same input came
// evenly, and what it sends over all orders of these spikes. p.plus and p.minus are strings of 0 and 1, a digit a step.

const spikesIn = (train) => train.split("1").length - 1;
const neuronOf = (p, kind = p.kind) =>
  completeNeuron({ kind, threshold: p.threshold, v0: p.share * p.threshold });
const total = (p) => p.weight_plus * spikesIn(p.plus) + p.weight_minus * spikesIn(p.minus);

// The neuron's answer to the trains as they are.
export function simulate(p) {
  const n = neuronOf(p);
  const run = { peak: [], v: [], spike: [], calcium: [], count: 0 };
  let state = startNeuron(n);
  for (let t = 0; t < p.T; t++) {
    state = stepNeuron(n, state, p.weight_plus * Number(p.plus[t]) + p.weight_minus * Number(p.minus[t]));
    run.peak.push(state.peak);
    run.v.push(state.v);
    run.spike.push(state.spike);
    run.calcium.push(state.calcium);
  }
  run.count = state.count;
  return run;
}

// Spikes so far, after each step, if the same mean input came evenly: the staircase clip(floor((t z + v0) / θ), 0, t).
export function evenly(p, kind = p.kind) {
  const n = neuronOf(p, kind);
  const most = n.max_spikes;
  return Array.from({ length: p.T }, (_, i) => {
    const steps = Math.floor(((i + 1) * total(p) + p.T * n.v0) / (p.T * p.threshold));
    return Math.min(Math.max(steps, 0), most * (i + 1));
  });
}

// Of all ways to place the same numbers of input spikes, how many make the neuron send 0, 1, 2, ... spikes.
// Orders that have led to one and the same state go on as one, with their number: no order is left out or guessed.
export function orders(p, kind = p.kind) {
  const n = neuronOf(p, kind);
  const counts = [];
  let level = [{ state: startNeuron(n), plus: spikesIn(p.plus), minus: spikesIn(p.minus), ways: 1 }];
  for (let left = p.T - 1; left >= 0; left--) {
    const rooms = new Map(); // what has the same spikes to come, count and calcium, by potential: numbers, so it is quick
    const next = [];
    for (const { state, plus, minus, ways } of level)
      for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
        if (plus < a || minus < b || plus - a > left || minus - b > left) continue;
        const after = stepNeuron(n, state, p.weight_plus * a + p.weight_minus * b);
        if (left === 0) {
          counts[after.count] = (counts[after.count] ?? 0) + ways;
          continue;
        }
        const number = ((plus - a) * 16 + minus - b) * 256 + after.count;
        const room = after.calcium === after.count ? number : `${number} ${after.calcium}`;
        if (!rooms.has(room)) rooms.set(room, new Map());
        const known = rooms.get(room).get(after.v);
        if (known) {
          known.ways += ways;
          continue;
        }
        const found = { state: after, plus: plus - a, minus: minus - b, ways };
        rooms.get(room).set(after.v, found);
        next.push(found);
      }
    level = next;
  }
  return Array.from(counts, (ways) => ways ?? 0);
}

const counted = new Map(); // moving a spike changes no distribution, so it is counted once

function ordersOnce(p, kind) {
  const numbers = [kind, p.threshold, p.share, p.weight_plus, p.weight_minus, p.T, spikesIn(p.plus), spikesIn(p.minus)];
  const key = numbers.join(" ");
  if (counted.size > 500) counted.clear();
  if (!counted.has(key)) counted.set(key, orders(p, kind));
  return counted.get(key);
}

// For each kind of neuron: its spikes for this order, those of even arrival, the share of all orders that give these.
export function compared(p) {
  return Object.keys(NEURON_KINDS).map((kind) => {
    const ways = ordersOnce(p, kind);
    const right = evenly(p, kind)[p.T - 1];
    const all = ways.reduce((sum, x) => sum + x, 0);
    return { kind, count: simulate({ ...p, kind }).count, right, share: (ways[right] ?? 0) / all };
  });
}
