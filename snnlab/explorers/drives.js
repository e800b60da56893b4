// How the same mean input can be spread over the steps.

const ARRIVALS = {
  constant: say("evenly: z in each step"),
  early: say("early: z + 1, then z − 1"),
  late: say("late: z − 1, then z + 1"),
  alternating: say("in turn: z + 1, z − 1, …"),
};

// The input of step t: the mean over the T steps is z however it arrives (an odd step out gets z).
function arriving({ arrival, current, T }, t) {
  const half = Math.floor(T / 2);
  if (arrival === "constant") return current;
  if (arrival === "alternating") return t > 2 * half ? current : current + (t % 2 ? 1 : -1);
  const sign = t <= half ? 1 : t > T - half ? -1 : 0;
  return current + (arrival === "early" ? sign : -sign);
}
