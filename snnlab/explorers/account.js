// Where the charge of a run went, and the sentence that follows from it: no cause is named that the numbers do not show.

// θ·count = Σz − held − leaked − thrown: what came in, less what the potential holds at the end more than at the start,
// less what leaked, less what a reset to zero threw away. Each can be below 0, and then adds.
function account(n, run) {
  let [leaked, thrown, before] = [0, 0, n.v0];
  run.v.forEach((after, t) => {
    leaked += (1 - n.leak) * before;
    if (n.reset === "zero" && run.spike[t]) thrown += run.peak[t] - n.threshold * run.spike[t];
    before = after;
  });
  return { held: before - n.v0, leaked, thrown };
}

// What each of them adds to the mean output minus ReLU(z), over T steps.
function shares(terms, T) {
  return Object.fromEntries(Object.entries(terms).map(([name, charge]) => [name, -charge / T]));
}

// Why the mean output lies `gap` above ReLU(z): the largest of the shares that pull the same way.
//   n          the neuron, complete      run   z, v, peak, spike, calcium of each step, and count
//   constant   whether z is the same in each step
function because(n, run, gap, constant) {
  const terms = account(n, run);
  const pulls = shares(terms, run.v.length);
  const cause = Object.keys(pulls).reduce((most, name) => (pulls[name] * Math.sign(gap) > pulls[most] * Math.sign(gap) ? name : most));
  if (Math.abs(gap) < 1e-9) return noGap(run, terms);
  if (cause === "thrown") return say("Each reset to zero throws away what lies above the threshold: {charge} in all.", { charge: show(terms.thrown) });
  if (cause === "leaked") return leak(n, run, terms.leaked, constant);
  return gap < 0 ? missing(n, run, terms) : ahead(n, run, terms, constant);
}

function noGap(run, { held, leaked, thrown }) {
  const mean = run.z.reduce((sum, z) => sum + z, 0);
  if (run.count === 0 && mean <= 0) return say("No positive mean input, no spike left standing: silent, as ReLU is.");
  if (Math.max(Math.abs(held), Math.abs(leaked), Math.abs(thrown)) < 1e-9) return say("Every bit of charge has become a spike or waits where it began.");
  return say("Two errors make up for each other here.");
}

function leak(n, run, leaked, constant) {
  if (leaked < 0) return say("Where v is below 0 the leak lifts it: {charge} of charge in all that never came in.", { charge: show(-leaked) });
  const limit = run.z[0] / (1 - n.leak);
  if (constant && run.count === 0 && n.v0 <= limit && limit < n.threshold)
    return say("With the leak v cannot rise above z / (1 − leak) = {limit}: too small an input never fires.", { limit: show(limit) });
  return say("The leak took {charge} of charge in all, and what has leaked never becomes a spike.", { charge: show(leaked) });
}

function missing(n, run, { held, leaked, thrown }) {
  const left = run.v.at(-1);
  if (n.cap !== null && run.count === n.cap && left >= n.threshold)
    return say("The count stands at its cap, and {left} of charge waits in vain.", { left: show(left) });
  if (left >= n.threshold && run.spike.every((s) => s === n.max_spikes))
    return say("Clipped: {spikes} a step is all it can say, and {left} of charge waits in vain.", { spikes: spikesSaid(n.max_spikes), left: show(left) });
  if (left >= n.threshold) return say("Too few: v[T] = {left} is not below the threshold, and no step is left to send it.", { left: show(left) });
  const given = { v0: show(n.v0), left: show(left), held: show(held) };
  return leaked === 0 && thrown === 0
    ? say("What is missing waits in the potential, which began at {v0} and ends at {left}, {held} higher: no charge is lost.", given)
    : say("What is missing waits in the potential, which began at {v0} and ends at {left}, {held} higher.", given);
}

function ahead(n, run, { held }, constant) {
  const left = run.v.at(-1);
  if (constant && run.z[0] <= 0) return run.count === 1 ? say("The mean input is not positive: this comes from v[0] alone.") : say("The mean input is not positive: these come from v[0] alone.");
  if (left < 0) return say("Too many: sent before the input below 0 came, and v[T] = {left} is the debt. {why}", { left: show(left), why: debt(n, run) });
  return say("Ahead by v[0] − v[T] = {v0} − {left} = {lead} of charge: the start has been turned into spikes.", { v0: show(n.v0), left: show(left), lead: show(-held) });
}

// Why a spike too many, v[T] < 0, has not been taken back.
function debt(n, run) {
  if (n.negative === null) return say("This neuron cannot take a spike back.");
  if (n.decay < 1 && run.calcium.at(-1) <= GATE) return say("No calcium is left: the gate is shut, and the surplus stays.");
  if (run.v.at(-1) > -n.negative * n.threshold) return say("It takes a spike back only at −θ, and v[T] is not so low.");
  return say("It takes back one spike in a step, and the steps are over.");
}

// The neuron that looks at the potential of the step before and resets to a floor: its charge has no such account.
function becauseHardReset(n, run, constant) {
  const z = run.z[0];
  if (run.count === 0 && run.v.at(-1) >= n.threshold) return say("v has reached θ, but it fires a step late: after the last.");
  if (run.count === 0 && constant && z > 0 && z <= n.threshold) return say("v tends to z, which does not pass the threshold: so small an input is not heard.");
  if (run.count === 0) return say("v has never reached θ: silent.");
  const fired = run.spike.flatMap((spike, t) => (spike ? [t] : []));
  const every = (fired.at(-1) - fired[0]) / (fired.length - 1);
  const late = say("It fires a step late, and a reset forgets how far v was above θ: its curve is no ReLU.");
  return constant && fired.length > 1 ? say("{late} Here a spike comes every {every} steps.", { late, every: show(every) }) : late;
}
