import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { definePlugin, Type } from '../../plugin-kit/index.ts';
import { createGateway } from './index.ts';
import { startUpstream } from './testing/echo-upstream.ts';

/** Tells the upstream who called, in a header of the configuration's choice. */
const sign = definePlugin<{ readonly header: string }, { readonly header: string }>({
  name: 'sign',
  version: '1',
  priority: 1,
  type: 'other',
  schema: Type.Object({ header: Type.String() }),
  secretFields: [],
  identityHeaders: ({ header }: JsonObject) => [String(header)],
  create: (configuration) => configuration,
  phases: {
    access: (request, { header }) => {
      request.setHeader(header, 'signed');
      return undefined;
    },
  },
});

test('a header by which a consumer’s plugin asserts an identity is cut from what any client sends, on every route', async (t) => {
  const port = await startUpstream(t);
  const gateway = createGateway(
    {
      services: { s: { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }] } } },
      routes: {
        open: { name: 'open', service_id: 's', paths: ['/open'] },
        guarded: { name: 'guarded', service_id: 's', paths: ['/guarded'], plugins: { 'key-auth': {} } },
      },
      consumers: { jack: { plugins: { sign: { header: 'X-Signed-By' } } } },
      credentials: { jack: { c: { plugins: { 'key-auth': { key: 'the-key' } } } } },
    },
    { plugins: [sign] },
  );
  t.after(() => gateway.close());
  const received = async (path: string, headers: Record<string, string>): Promise<JsonObject> =>
    JSON.parse(await (await gateway.fetch(new Request(`http://test${path}`, { headers }))).text()).headers;
  const forged = { 'X-Signed-By': 'me', X_Signed_By: 'me', 'X-Signed': 'kept' };
  const open = await received('/open', forged);
  assert.deepEqual([open['x-signed-by'], open.x_signed_by, open['x-signed']], [undefined, undefined, 'kept']);
  const guarded = await received('/guarded', { ...forged, apikey: 'the-key' });
  assert.deepEqual([guarded['x-signed-by'], guarded.x_signed_by], ['signed', undefined]);
});
