import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { AdcClient, type AdcConfiguration } from '../testing/adc-client.ts';
import { ADC_RESOURCE_COUNT, adcConfiguration, adcID } from '../testing/adc-configuration.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { SAMPLE_KEY } from '../testing/sample-resources.ts';

const CONFIGURATION = await adcConfiguration();
/** Another certificate than those in there. */
const second = await createTestCertificate();

test('a second sync writes nothing, whatever kinds the first one wrote', async (t) => {
  const admin = await makeAdminFixture(t);
  const adc = new AdcClient(admin, { groupId: 'default' });
  assert.equal((await adc.sync(CONFIGURATION)).length, ADC_RESOURCE_COUNT);
  assert.deepEqual(await adc.sync(CONFIGURATION), []);
  assert.equal((await adc.dump()).size, ADC_RESOURCE_COUNT);
});

test('what has changed is written and nothing else, what is left out goes, and children go with their parents', async (t) => {
  const admin = await makeAdminFixture(t);
  const adc = new AdcClient(admin, { groupId: 'default' });
  await adc.sync(CONFIGURATION);
  const { services: [shop] = [], consumers: [jack] = [], ssls: [ssl] = [] } = CONFIGURATION;
  assert.ok(shop !== undefined && jack !== undefined && ssl !== undefined);
  const changed: AdcConfiguration = {
    services: [{ ...shop, desc: 'changed', plugins: {}, upstreams: [] }],
    consumers: [{ ...jack, credentials: [{ id: adcID('jack.key'), name: 'key', plugins: { 'key-auth': { key: `${SAMPLE_KEY}-new` } } }] }],
    ssls: [{ ...ssl, cert: second.cert, key: second.key }],
    global_rules: { cors: { allow_origins: 'https://a.example' } },
  };
  const paths = await adc.sync(changed);
  assert.deepEqual(
    new Set(paths.map((path) => path.replace(/\/[0-9a-f]{40}/g, ''))),
    new Set([
      'delete service /apisix/admin/services',
      'delete upstream /apisix/admin/services/upstreams',
      'delete upstream /apisix/admin/services/upstreams/green',
      'delete consumer /apisix/admin/consumers/jill',
      'delete consumer_credential /apisix/admin/consumers/jack/credentials',
      'delete ssl /apisix/admin/ssls/mtls',
      'delete global_rule /apisix/admin/global_rules/prometheus',
      'delete plugin_metadata /apisix/admin/plugin_metadata/http-logger',
      'update service /apisix/admin/services',
      'update consumer_credential /apisix/admin/consumers/jack/credentials',
      'update ssl /apisix/admin/ssls',
      'update global_rule /apisix/admin/global_rules/cors',
    ]),
  );
  assert.deepEqual(await adc.sync(changed), []);
  await adc.sync({});
  assert.equal((await adc.dump()).size, 0);
});

test('with the admin key of a group everything is the same, and the other groups stay as they are', async (t) => {
  const admin = await makeAdminFixture(t);
  const groupId = (await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge' } })).body.value.id;
  const { key } = (await admin.send('PUT', `/api/gateway_groups/${groupId}/admin_key`)).body.value;
  const adc = new AdcClient(admin, { adminKey: key });
  assert.equal((await adc.sync(CONFIGURATION)).length, ADC_RESOURCE_COUNT);
  assert.deepEqual(await adc.sync(CONFIGURATION), []);
  assert.equal((await new AdcClient(admin, { groupId: 'default' }).dump()).size, 0);
  assert.deepEqual(await new AdcClient(admin, { groupId }).sync(CONFIGURATION), []);
});

test('labels narrow services, consumers and SSL objects, and neither global rules nor metadata', async (t) => {
  const admin = await makeAdminFixture(t);
  const adc = new AdcClient(admin, { groupId: 'default' });
  await adc.sync(CONFIGURATION);
  const dumped = await adc.dump('labels%5Bteam%5D=2');
  assert.deepEqual([...dumped.keys()].map((path) => path.slice('/apisix/admin/'.length)).toSorted(), [
    'consumers/jill',
    'global_rules/cors',
    'global_rules/prometheus',
    'plugin_metadata/http-logger',
  ]);
});

test('of two SSL objects the one that was updated last comes first', async (t) => {
  const admin = await makeAdminFixture(t);
  await new AdcClient(admin, { groupId: 'default' }).sync({ ssls: CONFIGURATION.ssls ?? [] });
  const [last] = (await admin.send('GET', '/apisix/admin/ssls')).body.list;
  const other = CONFIGURATION.ssls?.find(({ id }) => id !== last.id);
  await admin.send('PUT', `/apisix/admin/ssls/${other?.id}`, { body: other });
  assert.equal((await admin.send('GET', '/apisix/admin/ssls')).body.list[0].id, other?.id);
});

test('a faulty resource is told as ADC prints it, while the one beside it is stored', async (t) => {
  const admin = await makeAdminFixture(t);
  const adc = new AdcClient(admin, { groupId: 'default' });
  const services = [
    { id: 'good', name: 'good', type: 'http' },
    { id: 'bad', name: 'bad', type: 'http', path_prefix: 12_345 },
  ];
  await assert.rejects(adc.sync({ services }), /error_msg: Error at "\/path_prefix": value must be a string/);
  assert.deepEqual([...(await adc.dump()).keys()], ['/apisix/admin/services/good']);
});

test('all that ADC has validated is what a sync of it would accept', async (t) => {
  const admin = await makeAdminFixture(t);
  const { services = [], consumers = [], ssls = [], global_rules = {}, plugin_metadata = {} } = CONFIGURATION;
  const children = (name: string) =>
    services.flatMap((service) => [service[name] ?? []].flat().map((child) => ({ ...Object(child), service_id: service.id })));
  const body = {
    services: services.map(({ routes, stream_routes, upstreams, ...service }) => service),
    routes: children('routes'),
    stream_routes: children('stream_routes'),
    consumers: consumers.map(({ credentials, ...consumer }) => consumer),
    ssls,
    global_rules: Object.entries(global_rules).map(([name, rule]) => ({ plugins: { [name]: rule } })),
    plugin_metadata: Object.entries(plugin_metadata).map(([id, metadata]) => ({ id, ...Object(metadata) })),
  };
  const good = await admin.send('POST', '/apisix/admin/configs/validate', { body });
  assert.deepEqual([good.status, good.body], [200, { value: {} }], good.text);
  const [ssl] = ssls;
  const bad = await admin.send('POST', '/apisix/admin/configs/validate', {
    body: {
      ...body,
      ssls: [ssl, { ...ssl, key: second.key }],
      stream_routes: [
        { name: 'x', service_id: 's', server_port: 'x' },
        { name: 'y', service_id: 's', plugins: { 'key-auth': {} } },
      ],
    },
  });
  assert.equal(bad.status, 400);
  assert.deepEqual(
    bad.body.errors.map(({ resource_type, index, error }: Record<string, unknown>) => [resource_type, index, error]),
    [
      ['stream_routes', 0, 'Error at "/server_port": value must be an integer'],
      [
        'stream_routes',
        1,
        'Error at "/plugins/key-auth": a connection without HTTP carries no credential: the plugin does not run on stream routes',
      ],
      ['ssls', 1, 'Error at "/key": the private key does not belong to the certificate'],
    ],
  );
  assert.equal((await admin.store.getGroup('default'))?.revision, 0);
});
