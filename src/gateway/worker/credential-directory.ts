import { digestKey } from '../../lib/key-digest.ts';
import type { ConsumerMatch, CredentialMatch } from '../../plugin-kit/index.ts';
import type { ConsumerDirectory } from '../pipeline/index.ts';
import { type CredentialIndexReader, IdentifiedConsumer } from '../tables/index.ts';
import { FoundCredential } from './found-credential.ts';
import { PreparedCredentials } from './prepared-credentials.ts';

/** Finds consumers and credentials in the tables that all workers share. Before the salt is known it finds nobody by a key. */
export class CredentialDirectory implements ConsumerDirectory {
  keySalt: Uint8Array | undefined = undefined;
  readonly #reader: CredentialIndexReader;
  readonly #prepared = new PreparedCredentials();

  constructor(reader: CredentialIndexReader) {
    this.#reader = reader;
  }

  findByKey(plugin: string, key: string): ConsumerMatch | undefined {
    return this.keySalt === undefined ? undefined : this.#reader.findByKey(plugin, this.keySalt, key);
  }

  findByName(username: string): ConsumerMatch | undefined {
    return this.#reader.findByName(username);
  }

  findCredential(plugin: string, uniqueValue: string): CredentialMatch | undefined {
    if (this.keySalt === undefined) return undefined;
    const consumer = this.#reader.findCredential(plugin, this.keySalt, uniqueValue);
    // Without its data there is nothing to compare with: it lets nobody in.
    if (consumer?.credentialDataText === undefined) return undefined;
    return new FoundCredential(consumer, plugin, this.#prepared);
  }

  isCurrent(consumer: ConsumerMatch): boolean {
    const identified = consumer instanceof FoundCredential ? consumer.identified : consumer;
    return !(identified instanceof IdentifiedConsumer) || this.#reader.isCurrent(identified);
  }

  digest(text: string): string | undefined {
    return this.keySalt === undefined ? undefined : digestKey(this.keySalt, Buffer.from(text, 'latin1')).toString('base64');
  }
}
