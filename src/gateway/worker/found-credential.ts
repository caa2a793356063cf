import type { CredentialMatch, JsonObject } from '../../plugin-kit/index.ts';
import type { IdentifiedConsumer } from '../tables/index.ts';
import type { PreparedCredentials } from './prepared-credentials.ts';

/** A credential that a request named, as its plugin sees it. */
export class FoundCredential implements CredentialMatch {
  readonly #consumer: IdentifiedConsumer;
  readonly #plugin: string;
  readonly #prepared: PreparedCredentials;

  constructor(consumer: IdentifiedConsumer, plugin: string, prepared: PreparedCredentials) {
    this.#consumer = consumer;
    this.#plugin = plugin;
    this.#prepared = prepared;
  }

  /** Whose it is, as the tables have it. */
  get identified(): IdentifiedConsumer {
    return this.#consumer;
  }

  get username(): string {
    return this.#consumer.username;
  }

  get customId(): string | undefined {
    return this.#consumer.customId;
  }

  get credentialId(): string | undefined {
    return this.#consumer.credentialId;
  }

  get labels(): ReadonlyMap<string, string> | undefined {
    return this.#consumer.labels;
  }

  /** The consumer's own plugins, which the pipeline lays over the route's. */
  get pluginsText(): string | undefined {
    return this.#consumer.pluginsText;
  }

  get data(): JsonObject {
    // The parsing border: the control plane wrote the text.
    return JSON.parse(this.#consumer.credentialDataText ?? '{}') as JsonObject;
  }

  prepared<Value>(create: (data: JsonObject) => Value): Value {
    return this.#prepared.find(this.#plugin, this.#consumer.credentialDataText ?? '{}', create);
  }
}
