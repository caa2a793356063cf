import { hash } from 'node:crypto';
import type { JsonObject } from '../../plugin-kit/index.ts';

/** Credentials of which a worker keeps ready what plugins made of them, e.g. imported keys. */
const MAX_KEPT = 4096;

/**
 * What plugins made of the data of credentials, kept as long as it is asked for often enough. Found by a digest of the data, so that no
 * secret is a key of a table, and a changed credential is made anew.
 */
export class PreparedCredentials {
  readonly #kept = new Map<string, unknown>();

  /** What `create` throws is thrown, and not kept. */
  find<Value>(plugin: string, dataText: string, create: (data: JsonObject) => Value): Value {
    const key = hash('sha256', `${plugin}\0${dataText}`, 'latin1');
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      // The parsing border: the same plugin put it there for the same data.
      return known as Value;
    }
    const made = create(JSON.parse(dataText) as JsonObject);
    this.#kept.set(key, made);
    if (this.#kept.size > MAX_KEPT) this.#dropOldest();
    return made;
  }

  #dropOldest(): void {
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}
