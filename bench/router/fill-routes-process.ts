import path from 'node:path';
import { openControlPlaneStore } from '../../src/control-plane/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { routeDocument, serviceDocument } from './sample-documents.ts';
import { sampleRoute, serviceCount } from './sample-routes.ts';

// Run as: fill-routes-process.ts <data folder> <number of routes>
const [dataFolder = '', count = ''] = process.argv.slice(2);
const WRITES_PER_TRANSACTION = 5_000;

interface Write {
  readonly kind: 'service' | 'route';
  readonly id: string;
  readonly document: JsonObject;
  readonly service: string | undefined;
}

const routes = Number(count);
const services = Array.from({ length: serviceCount(routes) }, (_, index): Write => {
  return { kind: 'service', id: `service_${index}`, document: serviceDocument(index), service: undefined };
});
const writes = [...services, ...Array.from({ length: routes }, (_, index) => routeWrite(index))];
const keyringFile = path.join(dataFolder, 'keyring.json');
const store = await openControlPlaneStore({ dataFolder, keyringFile, clock: systemClock, random: systemRandom });
for (let start = 0; start < writes.length; start += WRITES_PER_TRANSACTION) {
  await store.transaction({ id: 'bench', name: 'bench' }, async (transaction) => {
    for (const { kind, id, document, service } of writes.slice(start, start + WRITES_PER_TRANSACTION)) {
      const key = { groupId: 'default', kind, parentId: '', id };
      const owner = service === undefined ? undefined : ({ kind: 'service', id: service } as const);
      await transaction.putResource({ key, document, secretPointers: [], unique: [], owner });
    }
  });
}
await store.close();

function routeWrite(index: number): Write {
  const { id, service } = sampleRoute(index, routes);
  return { kind: 'route', id, document: routeDocument(index, routes), service: `service_${service}` };
}
