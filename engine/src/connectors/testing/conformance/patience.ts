/** How long something is waited for that should come at once: machines that run tests are busy. REEF_SUITE_PATIENCE_MS is another time. */
export function patienceMs(): number {
  return Number(process.env.REEF_SUITE_PATIENCE_MS ?? 20_000);
}
