import type { TestContext } from 'node:test';
import { OfflineGateway } from './offline-gateway.ts';
import { SignedSource } from './signed-source.ts';

/** What is in force with the candidate. */
export const NEW: readonly string[] = ['credential jack/c1 [2,9]', 'route r1'];

/** A gateway with a good revision 2 and the candidate 5, which brings a route and a key and takes a credential and a key away. */
export async function withCandidate(
  t: Pick<TestContext, 'after'>,
  folder: string,
): Promise<{ readonly gateway: OfflineGateway; readonly source: SignedSource }> {
  const source = new SignedSource();
  source.store.putCredential('jack', 'c1', [1, 2]);
  source.store.putCredential('jack', 'c2', [3]);
  const gateway = await OfflineGateway.start(t, folder);
  await gateway.receive(source.welcome(), ...(await source.snapshot()));
  await gateway.proveCandidates();
  source.store.put('route', 'r1');
  source.store.putCredential('jack', 'c1', [2, 9]);
  source.store.delete('credential', 'c2', 'jack');
  await gateway.receive(await source.delta(2));
  return { gateway, source };
}
