/** Gives each route a number by which workers note in shared memory what they entered, and tells the number's route again. */
export class RouteNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #ids = new Map<number, string>();
  #next = 1;

  /** The route's number: the same as long as it is not forgotten. */
  numberOf(routeId: string): number {
    let number = this.#numbers.get(routeId);
    if (number === undefined) {
      number = this.#next++;
      this.#numbers.set(routeId, number);
      this.#ids.set(number, routeId);
    }
    return number;
  }

  idOf(number: number): string | undefined {
    return this.#ids.get(number);
  }

  forget(routeId: string): void {
    const number = this.#numbers.get(routeId);
    if (number === undefined) return;
    this.#numbers.delete(routeId);
    this.#ids.delete(number);
  }
}

/** What names a stream route among all routes that have numbers. */
export function streamRouteKey(id: string): string {
  return `stream_routes/${id}`;
}
