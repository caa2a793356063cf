/** What a credential is: with a key, or not there. */
export interface CredentialState {
  /** Undefined: it does not exist. */
  readonly key: string | undefined;
}

/** One credential, as those who write it know it. Only one writer at a time writes it. */
export interface LedgerEntry {
  readonly consumer: string;
  readonly id: string;
  /** Of the last write that was acknowledged. */
  acknowledged: CredentialState;
  /** Of a write that was sent afterwards and not acknowledged: the store may have it or not. */
  uncertain: CredentialState | undefined;
}

/** All that was acknowledged of credentials: what must be found again, in the store and at the gateway, whatever was killed. */
export class CredentialLedger {
  readonly #entries: LedgerEntry[] = [];
  /** Keys that open something, the newest last. */
  readonly #valid = new Set<string>();
  /** Keys that an acknowledged write has taken away; none of them may ever open anything again. */
  readonly #revoked = new Set<string>();
  /** Those among them that the acknowledgement said are out of force at every gateway. */
  readonly #outOfForce: string[] = [];

  get entries(): readonly LedgerEntry[] {
    return this.#entries;
  }

  get valid(): readonly string[] {
    return [...this.#valid];
  }

  /** The newest last. */
  get revoked(): readonly string[] {
    return [...this.#revoked];
  }

  get outOfForce(): readonly string[] {
    return this.#outOfForce;
  }

  add(consumer: string, id: string): LedgerEntry {
    const entry: LedgerEntry = { consumer, id, acknowledged: { key: undefined }, uncertain: undefined };
    this.#entries.push(entry);
    return entry;
  }

  /** A write was answered with success. `isInForce`: the answer said so of every gateway. */
  acknowledge(entry: LedgerEntry, state: CredentialState, isInForce: boolean): void {
    const { key } = entry.acknowledged;
    if (isInForce && key !== undefined && key !== state.key) this.#outOfForce.push(key);
    this.#is(entry, state);
  }

  /** What a look at the store says of a write whose answer never came. */
  settle(entry: LedgerEntry, found: CredentialState): void {
    this.#is(entry, found);
  }

  #is(entry: LedgerEntry, state: CredentialState): void {
    const { key } = entry.acknowledged;
    entry.acknowledged = state;
    entry.uncertain = undefined;
    if (key === state.key) return;
    if (key !== undefined) {
      this.#valid.delete(key);
      this.#revoked.add(key);
    }
    if (state.key !== undefined) this.#valid.add(state.key);
  }
}
