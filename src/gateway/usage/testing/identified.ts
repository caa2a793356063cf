import { consumerRecord } from '../../tables/consumer-record.ts';
import { IdentifiedConsumer } from '../../tables/index.ts';

/** A consumer as the tables give it; `credential` empty for a key of its own. */
export function identified(username: string, credential: string): IdentifiedConsumer {
  const record = consumerRecord({ username, customId: 'custom' });
  return new IdentifiedConsumer(Buffer.concat([record, Buffer.from(credential)]), record.length);
}
