import { byteStringOf } from '../../lib/byte-string.ts';
import type { JsonObject } from '../../lib/json.ts';
import { digestKey } from '../../lib/key-digest.ts';
import type { ConsumerMatch, CredentialMatch } from '../consumer-match.ts';
import type { PluginSchema } from '../plugin-schema.ts';
import { readPluginConfiguration } from '../read-plugin-configuration.ts';

/** A credential as it is configured, and the plugin that it is for. */
export interface TestCredential {
  /** Without one the credential stands on the consumer itself. */
  readonly id?: string;
  readonly plugin: PluginSchema;
  readonly configuration: JsonObject;
}

export interface TestConsumer {
  readonly username: string;
  /** `custom_id` among them becomes `customId`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly credentials?: readonly TestCredential[];
}

const SALT = Buffer.from('the salt of all tests, 32 bytes.');

/** The digest that gateways in tests give. */
export function testDigest(text: string): string {
  return digestKey(SALT, Buffer.from(text, 'latin1')).toString('base64');
}

/** Consumers as a gateway's tables hold them. */
export class TestConsumers {
  readonly #byName = new Map<string, ConsumerMatch>();
  readonly #credentials = new Map<string, { readonly consumer: ConsumerMatch; readonly credential: CredentialMatch }>();

  constructor(consumers: readonly TestConsumer[]) {
    for (const consumer of consumers) {
      this.#byName.set(consumer.username, matchOf(consumer, undefined));
      for (const credential of consumer.credentials ?? []) this.#addCredential(consumer, credential);
    }
  }

  findByName(username: string): ConsumerMatch | undefined {
    return this.#byName.get(username);
  }

  findByKey(plugin: string, key: string): ConsumerMatch | undefined {
    return this.#credentials.get(`${plugin} ${key}`)?.consumer;
  }

  findCredential(plugin: string, uniqueValue: string): CredentialMatch | undefined {
    return this.#credentials.get(`${plugin} ${uniqueValue}`)?.credential;
  }

  #addCredential(consumer: TestConsumer, { id, plugin, configuration }: TestCredential): void {
    const read = readPluginConfiguration(plugin.consumerSchema ?? plugin.schema, configuration);
    const unique = plugin.uniqueField === undefined ? undefined : read[plugin.uniqueField];
    if (typeof unique !== 'string') throw new Error(`a credential of ${plugin.name} needs its unique value`);
    // On the control plane texts are Unicode, at the gateway byte strings.
    const data = plugin.credentialData?.(configuration, (text) => testDigest(byteStringOf(text))) ?? {};
    const match = matchOf(consumer, id);
    this.#credentials.set(`${plugin.name} ${byteStringOf(unique)}`, { consumer: match, credential: credentialOf(match, data) });
  }
}

function matchOf({ username, labels }: TestConsumer, credentialId: string | undefined): ConsumerMatch {
  const all = labels === undefined ? undefined : new Map(Object.entries(labels));
  return { username, customId: all?.get('custom_id'), credentialId, labels: all };
}

function credentialOf(match: ConsumerMatch, data: JsonObject): CredentialMatch {
  let made: { readonly value: unknown } | undefined;
  return {
    ...match,
    data,
    prepared: <Value>(create: (data: JsonObject) => Value): Value => {
      made ??= { value: create(data) };
      // One plugin asks for one kind of value, as in the gateway.
      return made.value as Value;
    },
  };
}
