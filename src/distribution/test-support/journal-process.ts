// Run as a process of its own: takes delta after delta into the journal of a folder, and prints each revision that it acknowledged.
import { OfflineGateway } from './offline-gateway.ts';
import { SignedSource } from './signed-source.ts';

const folder = process.argv[2] ?? '';
const source = new SignedSource();
const gateway = await OfflineGateway.start({ after: () => undefined }, folder);
source.store.put('service', 's0');
await gateway.receive(source.welcome(), ...(await source.snapshot()));
for (let revision = 1; ; revision++) {
  source.store.put('route', `r${revision}`, { desc: 'x'.repeat((revision * 7919) % 30_000) });
  await gateway.receive(await source.delta(revision));
  process.stdout.write(`${gateway.held.revision}\n`);
}
