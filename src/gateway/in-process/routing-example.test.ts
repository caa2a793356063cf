import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { respond } from '../../plugin-kit/index.ts';
import { sendRequest } from '../testing/send-request.ts';
import { createGateway, type GatewayDefinition } from './index.ts';
import { plugin } from './testing/serve-plugins.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/routing.md', import.meta.url), 'utf8');
const EXAMPLE = DOCUMENT.slice(DOCUMENT.indexOf('## An example'), DOCUMENT.indexOf('## What it costs'));
const ROW =
  /^\| `(?<method>\w+) (?<host>[^/]+)(?<target>[^`]+)` \| (?:`(?<header>[^`]+)`)? ?\| (?:`(?<route>\w+)`|(?<status>\d+)) \| (?:`(?<values>[^`]+)`)? ?\|$/gm;
const NAMES = ['id', 'tenant', 'order', 'rest'];

test('the documented example decides as its table says', async (t) => {
  const definition: GatewayDefinition = JSON.parse(/```json\n(.*?)```/s.exec(EXAMPLE)?.[1] ?? '');
  const tell = plugin('tell', 1, {
    access: (request) => {
      const values = NAMES.flatMap((name) =>
        request.variable(`uri_param_${name}`) === undefined ? [] : `${name}=${request.variable(`uri_param_${name}`)}`,
      );
      return respond(200, `${request.route?.id} ${values.join(' ')}`.trim());
    },
  });
  const routes = Object.fromEntries(
    Object.entries(definition.routes ?? {}).map(([id, route]) => [id, { ...route, plugins: { tell: {} } }]),
  );
  const gateway = createGateway({ ...definition, routes }, { plugins: [tell] });
  t.after(() => gateway.close());
  const port = await gateway.port();
  const rows = [...EXAMPLE.matchAll(ROW)].map((row) => row.groups ?? {});
  assert.equal(rows.length, EXAMPLE.split('\n').filter((line) => line.startsWith('| `')).length);
  for (const { method = '', host = '', target = '', header, route, status, values } of rows) {
    const answer = await sendRequest(port, { method, target, host, headers: header === undefined ? [] : [header] });
    if (status !== undefined) assert.equal(String(answer.status), status, target);
    else assert.equal(answer.body, values === undefined ? route : `${route} ${values}`, target);
  }
});
