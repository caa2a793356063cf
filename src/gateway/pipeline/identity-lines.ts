import type { ConsumerMatch } from '../../plugin-kit/index.ts';
import { isFieldValue } from './field-syntax.ts';

/** Lower-case names of the headers that tell an upstream who called. */
export const IDENTITY_NAMES: ReadonlySet<string> = new Set(['x-consumer-username', 'x-consumer-custom-id', 'x-credential-identifier']);

/**
 * The header lines that name a consumer to the upstream, followed by `more`. What the consumer has not is left out, never empty:
 * `X-Credential-Identifier` stands only where a credential was presented.
 */
export function identityLines(consumer: ConsumerMatch | undefined, more: string): Buffer {
  if (consumer === undefined) return Buffer.from(more, 'latin1');
  const prepared = preparedLines(consumer);
  const rest = (prepared === undefined ? spelledOut(consumer) : '') + line('X-Credential-Identifier', consumer.credentialId) + more;
  if (prepared === undefined) return Buffer.from(rest, 'latin1');
  const lines = Buffer.allocUnsafe(prepared.length + rest.length);
  lines.set(prepared, 0);
  lines.write(rest, prepared.length, 'latin1');
  return lines;
}

/** Consumers of the shared tables bring name and custom id as ready-made lines. */
function preparedLines(consumer: ConsumerMatch): Buffer | undefined {
  return 'headerLines' in consumer && Buffer.isBuffer(consumer.headerLines) ? consumer.headerLines : undefined;
}

function spelledOut(consumer: ConsumerMatch): string {
  return line('X-Consumer-Username', consumer.username) + line('X-Consumer-Custom-ID', consumer.customId);
}

/** Texts are sent as UTF-8; one that cannot stand in a header is left out rather than let loose on the upstream. */
function line(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  const bytes = Buffer.from(value, 'utf8').toString('latin1');
  return isFieldValue(bytes) ? `${name}: ${bytes}\r\n` : '';
}
