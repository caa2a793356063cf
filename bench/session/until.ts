/** Asks again every 50 ms until the condition holds. @throws when it does not within the limit */
export async function until(condition: () => Promise<boolean> | boolean, what: string, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
