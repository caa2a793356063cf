import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import type { ResourceKindName } from '../../../schema/index.ts';

/** What the document says of a kind of resource, and how it is tried out. Bodies are sent as they are by the tests. */
export interface KindText {
  readonly tag: string;
  /** With its article. */
  readonly one: string;
  readonly many: string;
  /** What it is, in a sentence. */
  readonly about: string;
  /** The id of the example; with `/` where the path has several segments. */
  readonly id: string;
  /** What the id in the path is called, where it is not `id`. */
  readonly idName?: string;
  /** Below this resource of the parent kind. */
  readonly parentId?: string;
  readonly body: JsonObject;
  /** Another one for POST, where not any further one would do. */
  readonly other?: JsonObject;
  /** Default: a new description. */
  readonly patches?: { readonly merge: JsonObject; readonly operations: readonly JsonValue[] };
}

const service: KindText = {
  tag: 'Services',
  one: 'a service',
  many: 'services',
  about: 'A service with its inline upstream. Deleting it takes its routes, stream routes and upstreams along.',
  id: 'httpbin',
  body: { name: 'httpbin', upstream: { nodes: [{ host: 'httpbin.example', port: 80, weight: 100 }] } },
};

const upstream: KindText = {
  tag: 'Services',
  one: 'an upstream of a service',
  many: 'the upstreams of a service',
  about:
    "The inline upstream stands under the service's id; what is done to it is done to the service. Further ones have ids of their own.",
  id: 'canary',
  parentId: 'httpbin',
  body: { name: 'canary', nodes: [{ host: 'canary.example', port: 8080, weight: 1 }] },
};

const route: KindText = {
  tag: 'Routes',
  one: 'a route',
  many: 'routes',
  about: 'Paths of a service, and the plugins that run for them.',
  id: 'get-ip',
  body: { name: 'get-ip', service_id: 'httpbin', paths: ['/ip'], methods: ['GET'], plugins: { 'key-auth': {} } },
};

const streamRoute: KindText = {
  tag: 'Stream routes',
  one: 'a stream route',
  many: 'stream routes',
  about: 'A route of a service of type `stream`.',
  id: 'mqtt',
  body: { name: 'mqtt', service_id: 'httpbin', server_port: 9100 },
};

const consumer: KindText = {
  tag: 'Consumers',
  one: 'a consumer',
  many: 'consumers',
  about: 'Whoever calls. Deleting it takes its credentials along.',
  id: 'jack',
  idName: 'username',
  body: { username: 'jack', labels: { team: 'mobile' } },
  other: { username: 'jill' },
};

const credential: KindText = {
  tag: 'Consumers',
  one: 'a credential',
  many: 'the credentials of a consumer',
  about: 'Exactly one authentication plugin, by which requests are known to be of the consumer.',
  id: 'jack-key',
  parentId: 'jack',
  body: { name: 'jack-key', plugins: { 'key-auth': { key: 'choose-a-long-random-text-1' } } },
  other: { name: 'jack-second-key', plugins: { 'key-auth': { key: 'choose-a-long-random-text-2' } } },
};

const ssl: KindText = {
  tag: 'Certificates',
  one: 'an SSL object',
  many: 'SSL objects',
  about: 'Server names with their certificates and keys, as PEM texts or references. Keys are in no answer.',
  id: 'edge',
  body: {
    snis: ['api.example.com'],
    cert: '$secret://vault/1/edge/cert',
    key: '$secret://vault/1/edge/key',
  },
};

const certificate: KindText = {
  tag: 'Certificates',
  one: 'a certificate',
  many: 'certificates',
  about: 'A certificate with its private key, for SNIs and for upstreams that ask for one. The key is in no answer.',
  id: 'edge',
  body: { name: 'edge', cert: '$secret://vault/1/edge/cert', key: '$secret://vault/1/edge/key' },
};

const caCertificate: KindText = {
  tag: 'Certificates',
  one: 'a CA certificate',
  many: 'CA certificates',
  about: 'The certificate of an authority that peers are checked against.',
  id: 'internal',
  body: { name: 'internal', cert: '$secret://vault/1/internal/ca' },
};

const sni: KindText = {
  tag: 'Certificates',
  one: 'an SNI',
  many: 'SNIs',
  about: 'A server name and the certificates it is served with.',
  id: 'api',
  body: { name: 'api', domain: 'api.example.com', certificates: ['edge'] },
  other: { name: 'web', domain: 'www.example.com' },
};

const globalRule: KindText = {
  tag: 'Global rules',
  one: 'a global rule',
  many: 'global rules',
  about: 'A plugin for every request of the group; the name of the plugin is the id.',
  id: 'request-id',
  idName: 'plugin',
  body: { plugins: { 'request-id': {} } },
  other: { plugins: { prometheus: {} } },
};

const pluginMetadata: KindText = {
  tag: 'Plugin metadata',
  one: 'the metadata of a plugin',
  many: 'the metadata of all plugins',
  about: 'What all configurations of a plugin share. It is shown as it was written, without id and times.',
  id: 'file-logger',
  idName: 'plugin',
  body: { log_format: { host: '$host' } },
  patches: {
    merge: { log_format: { status: '$status' } },
    operations: [{ op: 'add', path: '/log_format/status', value: '$status' }],
  },
};

const proto: KindText = {
  tag: 'Protos',
  one: 'a proto',
  many: 'protos',
  about: 'A definition of gRPC services.',
  id: 'greeter',
  body: { name: 'greeter', content: 'syntax = "proto3";\nservice Greeter {}\n' },
};

const secretProvider: KindText = {
  tag: 'Secret providers',
  one: 'a secret provider',
  many: 'secret providers',
  about: 'How a secret manager is reached. Answers show `********` in place of its secrets, and this mask is refused in a body.',
  id: 'vault/1',
  body: { uri: 'https://vault.example:8200', prefix: 'kv/gateway', token: '$env://VAULT_TOKEN' },
};

const gatewayGroup: KindText = {
  tag: 'Gateway groups',
  one: 'a gateway group',
  many: 'gateway groups',
  about: 'The unit of configuration. Each gateway belongs to one; the first has the id and the name `default`.',
  id: 'default',
  body: { name: 'default', description: 'Where everything begins' },
  other: { name: 'edge', labels: { region: 'eu' } },
  patches: {
    merge: { description: 'Changed by a merge patch' },
    operations: [{ op: 'add', path: '/description', value: 'Changed by a JSON Patch' }],
  },
};

/** A kind without a text does not pass the type check. */
export const KIND_TEXTS: Readonly<Record<ResourceKindName, KindText>> = {
  service,
  upstream,
  route,
  stream_route: streamRoute,
  consumer,
  credential,
  ssl,
  certificate,
  ca_certificate: caCertificate,
  sni,
  global_rule: globalRule,
  plugin_metadata: pluginMetadata,
  proto,
  secret_provider: secretProvider,
  gateway_group: gatewayGroup,
};
