import type { KeyTable } from '../key-table.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Row } from '../rows/row.ts';
import { httpAnswer } from '../session/http-answer.ts';

/** Peers without keys, to which only the shape of an answer applies. */
const WITHOUT_KEYS = ['engine-floor', 'byte-relay'];

/** Asks a peer once what a row will ask it often, and whether it knows whose key it is. @throws when an answer is not the right one */
export async function checkPeer(name: string, peer: RunningPeer, row: Row, keys: KeyTable): Promise<void> {
  const { method, path, bodyBytes, key, headers, isRecoded } = row.request;
  const [sample] = keys.sample(1);
  if (sample === undefined) throw new Error('there are no keys');
  const presented = key === 'valid' ? sample.key : `not-${sample.key.slice(4)}`;
  const options = { port: peer.port, tls: row.setup.tls, headers: { ...headers, apikey: presented } };
  const answer = await httpAnswer({ ...options, method, path, ...(bodyBytes > 0 ? { body: Buffer.alloc(bodyBytes, 'x') } : {}) });
  const expected = key === 'valid' ? 200 : 401;
  if (answer.status !== expected) throw new Error(`${name} answers ${row.name} with ${answer.status} instead of ${expected}`);
  const length = Number(path.split('/').at(-1));
  if (expected === 200 && length > 0 && !isRecoded && answer.body.length !== length)
    throw new Error(`${name} answers ${row.name} with ${answer.body.length} bytes`);
  if (key !== 'valid' || WITHOUT_KEYS.includes(name)) return;
  const consumer = (await httpAnswer({ ...options, path: '/bench/consumer' })).body.toString();
  if (consumer !== sample.consumer) throw new Error(`${name} tells the upstream of consumer '${consumer}' instead of '${sample.consumer}'`);
}
