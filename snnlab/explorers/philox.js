// The random numbers of simulators/coding.py: NumPy's Philox, 4 x 64 bits, 10 rounds, a counter encrypted with a key.
// Reference: Salmon et al. 2011, SC, "Parallel random numbers: as easy as 1, 2, 3"

const U64 = 2n ** 64n - 1n;

function philoxBlock(counter, [key0, key1]) {
  let [a, b, c, d] = [counter, 0n, 0n, 0n];
  for (let round = 0n; round < 10n; round++) {
    const [x, y] = [a * 0xd2e7470ee14c6c93n, c * 0xca5a826395121157n];
    const [k, l] = [(key0 + round * 0x9e3779b97f4a7c15n) & U64, (key1 + round * 0xbb67ae8584caa73bn) & U64];
    [a, b, c, d] = [(y >> 64n) ^ b ^ k, y & U64, (x >> 64n) ^ d ^ l, x & U64];
  }
  return [a, b, c, d];
}

// The frames of an image that comes as spikes: pixel x sends sign(x) m in a step with the chance |x| / m, m the largest
// pixel; drawn as simulate(..., coding="poisson", seed=seed) draws for its image of this number.
function poissonFrames(pixels, largest, seed, number = 0) {
  const key = [BigInt(seed), BigInt(number)];
  let [counter, left] = [0n, []];
  const drawn = () => {
    if (!left.length) left = philoxBlock(++counter, key);
    return Number(left.shift() >> 11n);
  };
  const size = Math.fround(largest);
  return () => Float64Array.from(pixels, (x) => (drawn() < (Math.abs(x) / largest) * 2 ** 53 ? Math.sign(x) * size : 0));
}
