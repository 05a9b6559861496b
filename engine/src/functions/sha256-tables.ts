/** The numbers that SHA-256 starts from: the first 32 bits behind the point of roots of the first primes. */
const primes: bigint[] = [];
for (let n = 2n; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0n)) primes.push(n);

/** The whole part of the `degree`-th root of `value`. */
function root(value: bigint, degree: bigint): bigint {
  let [low, high] = [0n, 1n << 40n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= value) low = middle;
    else high = middle;
  }
  return low;
}

function fraction(prime: bigint, degree: bigint): number {
  return Number(root(prime << (32n * degree), degree) & 0xffff_ffffn);
}

/** Of the cube roots of 64 primes. */
export const roundConstants = Uint32Array.from(primes, (prime) => fraction(prime, 3n));

/** Of the square roots of the first eight. */
export const initialState = Uint32Array.from(primes.slice(0, 8), (prime) => fraction(prime, 2n));
