import { TRANSPORT_KINDS, type TransportKind } from '../transport/transport-kind.ts';

/**
 * The transport that engines under test run on: the quickest, unless `PORTCULLIS_TEST_TRANSPORT` names another. `npm test` runs
 * the engine's tests on the quickest and once more on each of the others.
 */
export function testTransport(): TransportKind {
  const wanted = process.env.PORTCULLIS_TEST_TRANSPORT;
  if (wanted === undefined) return 'handle';
  const kind = TRANSPORT_KINDS.find((known) => known === wanted);
  if (kind === undefined) throw new Error(`PORTCULLIS_TEST_TRANSPORT is ${wanted}, which is no transport`);
  return kind;
}
