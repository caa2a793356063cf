import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject, type ResourceKindName, resourceKind } from '../../schema/index.ts';
import { withDefaults } from '../testing/adc-client.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { arbitraryDocument, describedFields } from '../testing/arbitrary-document.ts';

/** What a schema cannot say of a document, put right: what is left of it is what a user could have written. */
type Refine = (document: JsonObject, number: number) => JsonObject;

/** What is not the same in an answer as in the body. */
interface RandomKind {
  readonly name: ResourceKindName;
  readonly list: string;
  readonly refine: Refine;
  /** Its name in `schema/core`, whose defaults are stored. */
  readonly core?: string;
  /** Fields that answers do not give back. */
  readonly hidden?: readonly string[];
  readonly idOf?: (document: JsonObject) => string;
}

const [pair, authority] = await Promise.all([createTestCertificate(), createTestCertificate()]);
const STREAM_PLUGINS: JsonObject = { 'ip-restriction': { whitelist: ['127.0.0.1'], _meta: { disable: false } } };
const PLUGINS: JsonObject = { cors: { allow_origins: 'https://a.example' }, ...STREAM_PLUGINS };

const KINDS: readonly RandomKind[] = [
  { name: 'service', list: 'services', core: 'service', refine: refineService },
  { name: 'upstream', list: 'services/owner/upstreams', core: 'upstream', refine: (document) => refineUpstream(document) },
  {
    name: 'route',
    list: 'routes',
    core: 'route',
    refine: ({ vars, remote_addrs, ...document }) => ({
      ...withPlugins(document),
      paths: textsOf(document.paths).map((path) => path.replaceAll(/[*:]/g, 'x')),
      ...where(document, 'remote_addr', '10.0.0.0/8'),
    }),
  },
  {
    name: 'stream_route',
    list: 'stream_routes',
    core: 'stream_route',
    refine: (document) => ({
      ...withPlugins(document, STREAM_PLUGINS),
      ...where(document, 'server_addr', '::1'),
      ...where(document, 'remote_addr', '10.0.0.0/8'),
    }),
  },
  {
    name: 'consumer',
    list: 'consumers',
    core: 'consumer',
    refine: (document, number) => ({ ...withPlugins(document), username: `user_${number}` }),
    idOf: ({ username }) => String(username),
  },
  {
    name: 'credential',
    list: 'consumers/owner/credentials',
    core: 'consumer_credential',
    refine: ({ id, ...document }, number) => ({ ...document, plugins: { 'key-auth': { key: `${number}-${'k'.repeat(40)}` } } }),
  },
  {
    name: 'ssl',
    list: 'ssls',
    core: 'ssl',
    hidden: ['key'],
    refine: ({ id, certs, keys, client, ssl_protocols, ...document }) => ({
      ...document,
      ...{ snis: ['a.example'], ...pair, type: 'client' },
      ...(isJsonObject(client) ? { client: { ...client, ca: authority.cert } } : {}),
    }),
  },
  { name: 'certificate', list: 'certificates', hidden: ['key'], refine: ({ id, ...document }) => ({ ...document, ...pair }) },
  { name: 'ca_certificate', list: 'ca_certificates', refine: ({ id, ...document }) => ({ ...document, cert: authority.cert }) },
  { name: 'sni', list: 'snis', refine: ({ id, plugins, mtls, ...document }, number) => ({ ...document, domain: `n${number}.example` }) },
  {
    name: 'global_rule',
    list: 'global_rules',
    core: 'global_rule',
    refine: ({ id, ...document }) => ({ ...document, plugins: { cors: { allow_methods: 'GET' } } }),
    idOf: () => 'cors',
  },
  { name: 'proto', list: 'protos', refine: ({ id, ...document }) => document },
];

let admin: AdminFixture;
let number = 0;
let announced: JsonObject = {};

before(async (context) => {
  admin = await makeAdminFixture(context as never);
  announced = (await admin.send('GET', '/api/schema/core')).body.value;
  await admin.send('PUT', '/apisix/admin/services/owner', { body: { name: 'owner' } });
  await admin.send('PUT', '/apisix/admin/consumers/owner', { body: { username: 'owner' } });
});

for (const kind of KINDS) {
  test(`whatever ${kind.name} is written reads the same, in lists too, with the announced defaults alone`, async () => {
    await fc.assert(
      fc.asyncProperty(documentsOf(kind), async (generated) => {
        const { document, path } = prepare(kind, generated);
        const put = await admin.send('PUT', path, { body: document });
        assert.equal(put.status, 200, put.text);
        const value = withoutServerFields((await admin.send('GET', path)).body.value, kind);
        const shown = Object.fromEntries(Object.entries(document).filter(([name]) => kind.hidden?.includes(name) !== true));
        assert.deepEqual(value, withDefaults(shown, schemaIn(announced, kind)));
        const { list } = (await admin.send('GET', `/apisix/admin/${kind.list}`)).body;
        const listed = list.filter((each: JsonObject) => path.endsWith(`/${each.id ?? each.username}`));
        assert.deepEqual(
          listed.map((each: JsonObject) => withoutServerFields(each, kind)),
          [value],
        );
        const again = await admin.send('PUT', path, { body: { ...put.body.value, ...hiddenOf(kind, document) } });
        assert.deepEqual(withoutServerFields(again.body.value, kind), value, again.text);
        assert.equal((await admin.send('DELETE', path)).status, 200);
      }),
      { numRuns: 15 },
    );
  });

  test(`of any ${kind.name} one field of another type is refused with its place, and nothing is stored`, async () => {
    const schema = plainSchema(kind);
    await fc.assert(
      fc.asyncProperty(documentsOf(kind), fc.nat(), async (generated, choice) => {
        const { document, path } = prepare(kind, generated);
        const fields = describedFields(document, schema).filter(({ pointer }) => !/^\/plugins\//.test(pointer));
        const field = fields[choice % fields.length];
        if (field === undefined) return;
        const revision = (await admin.store.getGroup('default'))?.revision;
        const put = await admin.send('PUT', path, { body: replaced(document, field.path, field.wrong) });
        assert.equal(put.status, 400, `${field.pointer}: ${put.text}`);
        assert.ok(put.body.error_msg.includes(`Error at "${field.pointer}": value `), `${field.pointer}: ${put.text}`);
        assert.equal((await admin.store.getGroup('default'))?.revision, revision);
      }),
      { numRuns: 25 },
    );
  });
}

function documentsOf(kind: RandomKind): fc.Arbitrary<JsonObject> {
  return arbitraryDocument(plainSchema(kind));
}

function prepare(kind: RandomKind, generated: JsonObject): { readonly document: JsonObject; readonly path: string } {
  number += 1;
  const document = kind.refine(generated, number);
  return { document, path: `/apisix/admin/${kind.list}/${kind.idOf?.(document) ?? `r${number}`}` };
}

function plainSchema({ name }: RandomKind): JsonObject {
  return JSON.parse(JSON.stringify(resourceKind(name).schema));
}

function schemaIn(schemas: JsonObject, { core }: RandomKind): JsonObject {
  const schema = core === undefined ? undefined : schemas[core];
  return isJsonObject(schema) ? schema : {};
}

function hiddenOf({ hidden = [] }: RandomKind, document: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => hidden.includes(name)));
}

/** Without id and times, and without what is shown of what was not written: a service's type, a credential's name. */
function withoutServerFields(value: JsonObject, kind: RandomKind): JsonObject {
  const { created_at, updated_at, validity_start, validity_end, exptime, id, ...document } = value;
  if (kind.name === 'service' && document.type === 'http') return without(document, 'type');
  return kind.name === 'credential' && document.name === id ? without(document, 'name') : document;
}

function refineService(document: JsonObject): JsonObject {
  const { type, upstream, path_prefix: prefix, ...rest } = document;
  return {
    ...withPlugins(rest),
    ...(typeof prefix === 'string' ? { path_prefix: prefix.replaceAll('*', 'x') } : {}),
    ...(isJsonObject(upstream) ? { upstream: { ...refineUpstream(upstream), scheme: 'http' } } : {}),
  };
}

function refineUpstream(upstream: JsonObject): JsonObject {
  const { service_name, discovery_type, checks, nodes, ...rest } = upstream;
  const hosts = Array.isArray(nodes) ? nodes.map((node: JsonValue) => ({ ...Object(node), host: 'node.example' })) : [];
  return {
    ...rest,
    nodes: hosts,
    ...(rest.type === 'chash' ? { key: 'uri' } : {}),
    ...(rest.pass_host === 'rewrite' ? { upstream_host: 'up.example' } : {}),
    ...(isJsonObject(checks) ? { checks: refineChecks(checks) } : {}),
  };
}

function refineChecks(checks: JsonObject): JsonObject {
  const { active } = checks;
  if (!isJsonObject(active)) return without(checks, 'passive');
  const texts = { ...where(active, 'http_path', '/health?a=b'), ...where(active, 'host', 'health.example') };
  return { ...checks, active: { ...active, ...texts, ...where(active, 'req_headers', ['X-Probe: 1']) } };
}

function withPlugins(document: JsonObject, plugins = document.type === 'stream' ? STREAM_PLUGINS : PLUGINS): JsonObject {
  return { ...document, ...where(document, 'plugins', plugins) };
}

/** The field with another value, where the document has it. */
function where(document: JsonObject, field: string, value: JsonValue): JsonObject {
  return Object.hasOwn(document, field) ? { [field]: value } : {};
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function without(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== name));
}

function replaced(value: JsonValue, path: readonly (string | number)[], by: JsonValue): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => (index === step ? replaced(item, rest, by) : item));
  if (!isJsonObject(value)) return by;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, name === step ? replaced(field, rest, by) : field]));
}
