import type { ChainMember } from './plugin-chain.ts';

type Asserting = Pick<ChainMember, 'identityHeaders'>;

/**
 * The headers by which configurations in force assert an identity, counted by who names them, so that a change costs what it changes.
 * They are cut from the requests of all clients of the group, on every route.
 */
export class IdentityHeaders {
  readonly #uses = new Map<string, number>();
  #changed = false;

  add(members: readonly Asserting[]): void {
    this.#count(members, 1);
  }

  remove(members: readonly Asserting[]): void {
    this.#count(members, -1);
  }

  /** All of them, if there are others than when this was asked last. */
  takeChanged(): readonly string[] | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    return [...this.#uses.keys()];
  }

  #count(members: readonly Asserting[], by: 1 | -1): void {
    for (const name of members.flatMap(({ identityHeaders }) => identityHeaders)) {
      const uses = (this.#uses.get(name) ?? 0) + by;
      if (uses === 0 || (uses === 1 && by === 1)) this.#changed = true;
      if (uses === 0) this.#uses.delete(name);
      else this.#uses.set(name, uses);
    }
  }
}
