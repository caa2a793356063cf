/** A set of small numbers, one bit each. */
export class UnitMarks {
  #bits = new Uint8Array(1024);

  add(unit: number): void {
    const at = unit >>> 3;
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (unit & 7));
  }

  delete(unit: number): void {
    const at = unit >>> 3;
    if (at < this.#bits.length) this.#bits[at] = (this.#bits[at] ?? 0) & ~(1 << (unit & 7));
  }

  has(unit: number): boolean {
    return ((this.#bits[unit >>> 3] ?? 0) & (1 << (unit & 7))) !== 0;
  }
}
