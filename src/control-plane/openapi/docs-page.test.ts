import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { readCurlRequests } from '../../../test-support/curl-example.ts';
import { PLUGIN_SCHEMAS } from '../../plugins/schemas.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';

const ADMIN = 'https://admin.example:7443';
let admin: AdminFixture;
let page: string;

before(async (context) => {
  admin = await makeAdminFixture(context as never);
  page = (await admin.send('GET', '/api/docs', { token: undefined })).text;
});

function unescaped(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_whole, code: string) => String.fromCharCode(Number(code)));
}

test('the page loads nothing from elsewhere, and a browser is told to let nothing else in', async () => {
  const answer = await admin.send('GET', '/api/docs', { token: undefined });
  assert.equal(
    answer.headers['content-security-policy'],
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '');
  for (const address of addresses) assert.match(address, /^(#|\/api\/)/);
  for (const address of addresses.filter((each) => each.startsWith('/'))) {
    assert.equal((await admin.send('GET', address, { token: undefined })).status, 200, address);
  }
  assert.doesNotMatch(page, /<style| style=| on[a-z]+=|<script(?! src="\/)/);
});

test('the page has every operation, and each link on it leads somewhere', () => {
  const ids = new Set([...page.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]));
  const { length } = [...page.matchAll(/<details class="operation" id="(?!schema-)/g)];
  assert.equal(length, admin.routes.length);
  for (const [, target = ''] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.has(target), target);
});

test('each command of the page sends an example of the document', async () => {
  const { paths } = (await admin.send('GET', '/api/openapi.json')).body;
  const commands = [...page.matchAll(/<pre>(curl [^<]*)<\/pre>/g)].map((match) => unescaped(match[1] ?? ''));
  const requests = readCurlRequests(`ADMIN=${ADMIN} API_KEY=k\n${commands.join('\n')}\n`);
  assert.equal(requests.length, commands.length);
  const sent = new Set(requests.map(({ method, target, body }) => JSON.stringify([method, target.split('?')[0], body])));
  for (const [path, methods] of Object.entries<Record<string, never>>(paths)) {
    for (const [method, { parameters = [], requestBody }] of Object.entries<{
      readonly parameters?: readonly { readonly in: string; readonly name: string; readonly example?: string }[];
      readonly requestBody?: {
        readonly content: { readonly 'application/json': { readonly examples: Record<string, { readonly value: unknown }> } };
      };
    }>(methods)) {
      const target = parameters
        .filter((parameter) => parameter.in === 'path')
        .reduce((url, { name, example = '' }) => url.replace(`{${name}}`, encodeURIComponent(example)), path);
      const bodies = Object.values(requestBody?.content['application/json'].examples ?? {}).map(({ value }) => JSON.stringify(value));
      for (const body of bodies.length === 0 ? [undefined] : bodies) {
        assert.ok(sent.has(JSON.stringify([method.toUpperCase(), target, body])), `${method} ${target} ${body}`);
      }
    }
  }
});

test('what a plugin calls its fields is text on the page, whatever it looks like', async (t) => {
  const [first, ...rest] = PLUGIN_SCHEMAS;
  assert.ok(first !== undefined);
  const properties = { '<img src=x>': { type: 'string', description: '`</code><script>alert(1)</script>' } };
  const plugins = [{ ...first, schema: { ...first.schema, properties } }, ...rest];
  const hostile = await makeAdminFixture(t, { plugins });
  const { text } = await hostile.send('GET', '/api/docs');
  assert.match(text, /&#60;img src=x&#62;/);
  assert.doesNotMatch(text, /<img|<script>/);
});
