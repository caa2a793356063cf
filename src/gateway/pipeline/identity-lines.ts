import type { ByteWriter } from '../../lib/byte-writer.ts';
import { isFieldValue } from '../../lib/field-syntax.ts';
import type { ConsumerMatch } from '../../plugin-kit/index.ts';
import { IdentifiedConsumer } from '../tables/index.ts';

/** Lower-case names of the headers that tell an upstream who called. */
export const IDENTITY_NAMES: ReadonlySet<string> = new Set(['x-consumer-username', 'x-consumer-custom-id', 'x-credential-identifier']);

/**
 * Appends the header lines that name a consumer to the upstream. What the consumer has not is left out, never empty:
 * `X-Credential-Identifier` stands only where a credential was presented.
 */
export function appendIdentityLines(writer: ByteWriter, consumer: ConsumerMatch): void {
  if (consumer instanceof IdentifiedConsumer) consumer.appendHeaderLines(writer);
  else for (const [name, value] of identityFields(consumer)) writer.appendAscii(`${name}: ${value}\r\n`);
}

/** The same lines as names and values, values as byte strings. */
export function identityFields(consumer: ConsumerMatch): readonly (readonly [name: string, value: string])[] {
  const fields: [string, string][] = [];
  const add = (name: string, text: string | undefined): void => {
    // Texts are sent as UTF-8; one that cannot stand in a header is left out rather than let loose on the upstream.
    const value = text === undefined ? undefined : Buffer.from(text, 'utf8').toString('latin1');
    if (value !== undefined && isFieldValue(value)) fields.push([name, value]);
  };
  add('X-Consumer-Username', consumer.username);
  add('X-Consumer-Custom-ID', consumer.customId);
  add('X-Credential-Identifier', consumer.credentialId);
  return fields;
}
