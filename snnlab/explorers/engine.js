// A converted network on its grid, step by step, and its ANN: the numbers of snnlab.simulate, to the last bit. Every sum
// on the grid is an exact float64 number, in whatever order; what is rounded is rounded by the same operations in turn.
// A spike costs what it reaches, silence nothing.

const product = (sizes) => sizes.reduce((all, size) => all * size, 1);

// Half to even, as PyTorch rounds.
function rounded2even(x) {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

// --- what packing.py sends -----------------------------------------------------------------------------------------

function unpacked([type, text]) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (type === "f64") return new Float64Array(bytes.buffer);
  if (type === "f32") return new Float32Array(bytes.buffer);
  const size = Number(type.slice(1)) / 8; // of a whole number, in bytes, the lowest first
  const unused = 32 - 8 * size;
  const whole = (i) => bytes.subarray(i * size, (i + 1) * size).reduceRight((all, byte) => (all << 8) | byte, 0);
  return Int32Array.from({ length: bytes.length / size }, (_, i) => (whole(i) << unused) >> unused); // with its sign
}

// A function of place i: an array's values, or one number for all.
function reader(arrays) {
  const open = new Map();
  const array = ({ at }) => open.get(at) ?? open.set(at, unpacked(arrays[at])).get(at);
  return (sent) => {
    if (sent === null) return () => Infinity;
    if (typeof sent === "number") return () => sent;
    const values = array(sent);
    return (i) => values[i];
  };
}

// --- the kinds of node: each gives the function that fills y from the inputs xs --------------------------------------

// For each place of the input and each place of the window which place of the output it reaches; -1 for none.
function wires({ places: [size, out], kernel, stride, padding, dilation, transposed }) {
  const [P, K] = [product(size), product(kernel)];
  const to = new Int32Array(P * K).fill(-1);
  const digits = (n, sizes) => sizes.map((_, d) => Math.floor(n / product(sizes.slice(d + 1))) % sizes[d]);
  const windows = Array.from({ length: K }, (_, k) => digits(k, kernel));
  for (let p = 0; p < P; p++) {
    const at = digits(p, size);
    windows.forEach((window, k) => {
      const reached = at.map((a, d) => (transposed ? a * stride[d] - padding[d] + window[d] * dilation[d] : (a + padding[d] - window[d] * dilation[d]) / stride[d]));
      if (reached.every((o, d) => Number.isInteger(o) && o >= 0 && o < out[d])) to[p * K + k] = reached.reduce((all, o, d) => all * out[d] + o, 0);
    });
  }
  return to;
}

// Weights [input channel][place in the window][output channel of the group], as they lie on the grid.
function laidOut(node, read) {
  const { channels: [I, O], kernel, groups, transposed } = node;
  const [Ig, Og, K] = [I / groups, O / groups, product(kernel)];
  const [weight, into, out, rows] = [node.weight, node.into ?? 1, node.out ?? 1, node.rows ?? 0].map(read);
  const laid = new Float64Array(I * K * Og);
  for (let i = 0; i < I; i++)
    for (let k = 0; k < K; k++)
      for (let o = 0; o < Og; o++) {
        const group = Math.floor(i / Ig);
        const w = weight(transposed ? (i * Og + o) * K + k : ((group * Og + o) * Ig + (i % Ig)) * K + k);
        const channel = group * Og + o;
        const grain = 2 ** rows(channel);
        laid[(i * K + k) * Og + o] = node.into ? rounded2even((w * into(i)) / out(channel) / grain) * grain : w * grain;
      }
  return laid;
}

function weighted(node, read) {
  const { channels: [I, O], places: [size, outSize], kernel, groups, last } = node;
  const [P, Q, K, Og] = [product(size), product(outSize), product(kernel), O / groups];
  const [laid, to, bias] = [laidOut(node, read), wires(node), read(node.bias)];
  const [fromChannel, fromPlace, toChannel, toPlace] = last ? [1, I, 1, O] : [P, 1, Q, 1];
  return (y, [x]) => {
    for (let c = 0; c < O; c++) for (let q = 0; q < Q; q++) y[c * toChannel + q * toPlace] = bias(c);
    for (let i = 0; i < I; i++)
      for (let p = 0; p < P; p++) {
        const value = x[i * fromChannel + p * fromPlace];
        if (value === 0) continue;
        const first = Math.floor((i * groups) / I) * Og;
        for (let k = 0; k < K; k++) {
          const q = to[p * K + k];
          if (q < 0) continue;
          for (let o = 0, w = (i * K + k) * Og; o < Og; o++, w++) y[(first + o) * toChannel + q * toPlace] += value * laid[w];
        }
      }
  };
}

function average({ before, axes }, read) {
  const shares = axes.map((axis) => read(axis.shares));
  return (y, [x]) => {
    let [values, shape] = [x, before];
    axes.forEach(({ axis, out }, n) => {
      const [inner, size] = [product(shape.slice(axis + 1)), shape[axis]];
      const next = new Float64Array((values.length / size) * out);
      for (let i = 0; i < values.length; i++) {
        const [outer, at] = [Math.floor(i / inner / size), Math.floor(i / inner) % size];
        for (let o = 0; o < out; o++) next[(outer * out + o) * inner + (i % inner)] += shares[n](o * size + at) * values[i];
      }
      [values, shape] = [next, shape.with(axis, out)];
    });
    y.set(values);
  };
}

function sum({ terms, offset }, read) {
  const known = terms.map(({ ratio, step = null }) => (ratio === null ? null : { ratio: read(ratio), step: step === null ? null : read(step) }));
  const start = read(offset);
  return (y, xs) => {
    for (let i = 0; i < y.length; i++) {
      let total = start(i);
      known.forEach((term, k) => {
        const x = xs[k][i];
        if (term === null) total += x;
        else if (term.step === null) total += x * term.ratio(i);
        else total += rounded2even(x * term.ratio(i)) * term.step(i);
      });
      y[i] = total;
    }
  };
}

function move({ index }, read) {
  const from = index === null ? (i) => i : read(index);
  return (y, xs) => {
    const x = xs.length === 1 ? xs[0] : Float64Array.from(xs.flatMap((values) => [...values]));
    for (let i = 0; i < y.length; i++) y[i] = from(i) < 0 ? 0 : x[from(i)];
  };
}

function activation({ theta, levels, shift }) {
  return (y, [x]) => {
    for (let i = 0; i < y.length; i++) {
      const relu = Math.max(x[i], 0);
      if (theta === null) y[i] = relu;
      else if (levels === null) y[i] = Math.min(relu, theta);
      else y[i] = (Math.floor(Math.min((relu / theta) * levels, levels) + shift) * theta) / levels;
    }
  };
}

const NODES = { weighted, average, sum, move, activation };

// A network to compute with: value holds what each node gave last; the image is value 0.
function built(net, read) {
  const nodes = net.nodes.map((node) => ({ ...node, fill: node.kind === "neuron" ? null : NODES[node.kind](node, read) }));
  const values = [net.image, ...nodes.map((node) => node.shape)].map((shape) => new Float64Array(product(shape)));
  for (const node of nodes.filter(({ kind }) => kind === "neuron")) {
    const [threshold, v0] = [read(node.threshold), read(node.v0)];
    node.threshold = Float64Array.from({ length: product(node.shape) }, (_, i) => threshold(i));
    node.v0 = Float64Array.from({ length: product(node.shape) }, (_, i) => v0(i));
  }
  return { nodes, values, result: net.result, largest: net.largest };
}

// What a page was sent, ready to compute with: each network is built when it is first asked for.
function opened(get) {
  const [networks, anns] = [get("networks"), get("anns")];
  const read = reader(get("arrays"));
  const ready = new Map();
  const make = (key, net) => ready.get(key) ?? ready.set(key, built(net, read)).get(key);
  const samples = get("samples").map((sample) => ({ ...sample, image: Array.from({ length: product(networks[0].image) }, (_, i) => read(sample.image)(i)) }));
  const entry = (method) => networks.find(({ name }) => name === method);
  return { networks, samples, entry, snn: (method) => make(method, entry(method)), ann: (number) => make(`ANN ${number}`, anns[number]) };
}

const best = (values) => values.indexOf(Math.max(...values)); // the class that an output names

// An ANN's output for pixels.
function forward({ nodes, values, result }, pixels) {
  values[0].set(pixels);
  nodes.forEach((node, n) => node.fill(values[n + 1], node.inputs.map((k) => values[k])));
  return [...values[result]];
}

// --- time --------------------------------------------------------------------------------------------------------------

// The neuron that keeps all charge and a count: neurons/counter.py.
function stepCounter(p, { charge, count }, z) {
  const all = charge + z;
  const peak = all - p.threshold * count;
  const spike = peak >= p.threshold ? 1 : 0;
  return { charge: all, count: count + spike, v: all - p.threshold * (count + spike), peak, spike };
}

// A run from its beginning: thresholds times `scale`, each neuron starting at (v0 + shift) thresholds; `frames` draws the
// image of each step, or null for a constant current.
function begun(net, pixels, { scale = 1, shift = 0, frames = null } = {}) {
  net.values[0].set(pixels);
  const neurons = net.nodes.map((node) => {
    if (node.kind !== "neuron") return null;
    const p = (threshold) => completeNeuron({ ...node.neuron, threshold });
    const kinds = new Map([...new Set(node.threshold)].map((threshold) => [threshold, p(threshold * scale)]));
    const states = Array.from(node.v0, (v0) => ({ v: (v0 + shift) * scale, charge: (v0 + shift) * scale, count: 0, calcium: 0, spike: 0 }));
    return { each: Array.from(node.threshold, (threshold) => kinds.get(threshold)), states, step: node.neuron.charge ? stepCounter : stepNeuron };
  });
  return { net, neurons, frames, t: 0, total: new Float64Array(net.values[net.result].length), spikes: 0 };
}

// The next step of a run.
function advance(run) {
  const { net: { nodes, values, result }, neurons, frames } = run;
  if (frames) values[0].set(frames());
  nodes.forEach((node, n) => {
    const y = values[n + 1];
    if (neurons[n]) run.spikes += fire(neurons[n], values[node.inputs[0]], y);
    else if (run.t === 0 || node.moves || frames) node.fill(y, node.inputs.map((k) => values[k]));
  });
  run.t++;
  for (let k = 0; k < run.total.length; k++) run.total[k] += values[result][k];
}

// One step of all neurons of a site; gives how many spikes of either sign they sent.
function fire({ each, states, step }, z, y) {
  let sent = 0;
  for (let i = 0; i < y.length; i++) {
    const state = (states[i] = step(each[i], states[i], z[i]));
    y[i] = state.spike === 0 ? 0 : each[i].threshold * state.spike;
    sent += Math.abs(state.spike);
  }
  return sent;
}
