import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import { sameJson } from '../patch/index.ts';

/** An Admin API that requests can be sent to. */
export interface AdcTarget {
  send(
    method: 'GET' | 'PUT' | 'DELETE',
    target: string,
    options?: { readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown; readonly token?: string },
  ): Promise<{ readonly status: number; readonly body: JsonObject; readonly text: string }>;
}

/** What a user of the declarative client ADC writes, children inside their parents. Ids are those that it would compute, or the user's. */
export interface AdcConfiguration {
  readonly services?: readonly (JsonObject & { readonly id: string })[];
  readonly consumers?: readonly (JsonObject & { readonly username: string })[];
  readonly ssls?: readonly (JsonObject & { readonly id: string })[];
  readonly global_rules?: JsonObject;
  readonly plugin_metadata?: JsonObject;
}

type Type =
  | 'service'
  | 'upstream'
  | 'route'
  | 'stream_route'
  | 'consumer'
  | 'consumer_credential'
  | 'ssl'
  | 'global_rule'
  | 'plugin_metadata';

interface Entry {
  readonly type: Type;
  readonly body: JsonObject;
  /** The path of what it goes with when that is deleted. */
  readonly parent?: string;
}

/** One request of a sync. */
interface Change {
  readonly action: 'delete' | 'create' | 'update';
  readonly type: Type;
  readonly path: string;
  readonly body: JsonObject | undefined;
}

/** The steps of a sync, one after another; the requests of a step run at the same time. */
const STEPS: readonly string[] = [
  ...['route', 'stream_route', 'service', 'upstream', 'consumer', 'ssl'].map((type) => `delete ${type}`),
  'create ssl',
  ...['ssl', 'route', 'stream_route', 'service', 'upstream', 'consumer'].map((type) => `update ${type}`),
  ...['service', 'route', 'stream_route', 'consumer', 'upstream'].map((type) => `create ${type}`),
  ...['global_rule', 'plugin_metadata', 'consumer_credential'].flatMap((type) => [`delete ${type}`, `create ${type}`, `update ${type}`]),
];
const REQUESTS_AT_ONCE = 10;

/** The fields that it reads of each type; all others are ignored. */
const READ_FIELDS: Readonly<Record<Type, readonly string[]>> = {
  service: ['name', 'desc', 'labels', 'upstream', 'plugins', 'path_prefix', 'strip_path_prefix', 'hosts', 'type'],
  upstream: [
    ...['name', 'desc', 'labels', 'type', 'hash_on', 'key', 'checks', 'nodes', 'scheme', 'retries', 'retry_timeout', 'timeout', 'tls'],
    ...['keepalive_pool', 'pass_host', 'upstream_host', 'service_name', 'discovery_type', 'discovery_args'],
  ],
  route: ['paths', 'name', 'desc', 'labels', 'methods', 'enable_websocket', 'plugins', 'priority', 'timeout', 'vars'],
  stream_route: ['name', 'desc', 'labels', 'plugins', 'server_addr', 'server_port', 'remote_addr'],
  consumer: ['username', 'desc', 'labels', 'plugins'],
  consumer_credential: ['name', 'desc', 'labels', 'plugins'],
  ssl: ['labels', 'type', 'snis', 'cert', 'client'],
  global_rule: ['plugins'],
  plugin_metadata: [],
};

/**
 * Speaks to the Admin API as ADC does: the same paths, order and headers, a JSON content type on requests without a body, ten at once. It
 * reads everything, compares it with what the user wrote and the defaults that `schema/core` announces, and writes only what differs.
 */
export class AdcClient {
  readonly #admin: AdcTarget;
  readonly #query: string;
  readonly #token: string | undefined;

  /** With the admin key of a gateway group no group is named. */
  constructor(admin: AdcTarget, options: { readonly groupId: string } | { readonly adminKey: string }) {
    this.#admin = admin;
    this.#query = 'groupId' in options ? `gateway_group_id=${options.groupId}` : '';
    this.#token = 'adminKey' in options ? options.adminKey : undefined;
  }

  /** Makes the group what the configuration says. Answers what it did, e.g. `update service /apisix/admin/services/s`. @throws Error as ADC prints it */
  async sync(configuration: AdcConfiguration): Promise<readonly string[]> {
    const changes = await this.diff(configuration);
    for (const step of STEPS) {
      const ofStep = changes.filter(({ action, type }) => `${action} ${type}` === step);
      for (let at = 0; at < ofStep.length; at += REQUESTS_AT_ONCE) {
        const written = await Promise.allSettled(ofStep.slice(at, at + REQUESTS_AT_ONCE).map(({ path, body }) => this.#write(path, body)));
        for (const each of written) if (each.status === 'rejected') throw each.reason;
      }
    }
    return changes.map(({ action, type, path }) => `${action} ${type} ${path}`);
  }

  /** What a sync would do. */
  async diff(configuration: AdcConfiguration): Promise<readonly Change[]> {
    const schemas = await this.#get('/api/schema/core');
    const [local, remote] = [flatten(configuration), await this.dump()];
    // A child of what is deleted is left to the server, which takes it along.
    const goes = (path: string | undefined): boolean => path !== undefined && remote.has(path) && !local.has(path);
    const deleted = [...remote].filter(([path, { parent }]) => goes(path) && !goes(parent));
    const changed = [...local].flatMap(([path, { type, body }]): readonly Change[] => {
      const there = remote.get(path);
      if (there === undefined) return [{ action: 'create', type, path, body }];
      const wanted = withDefaults(readable(type, body), schemaOf(schemas, type, body));
      return sameJson(wanted, there.body) ? [] : [{ action: 'update', type, path, body }];
    });
    return [...deleted.map(([path, { type }]): Change => ({ action: 'delete', type, path, body: undefined })), ...changed];
  }

  /** Everything of the group that it reads, by path. */
  async dump(labels = ''): Promise<ReadonlyMap<string, Entry>> {
    const found = new Map<string, Entry>();
    const take = (type: Type, path: string, body: JsonObject, parent?: string): void =>
      void found.set(path, { type, body: readable(type, body), ...(parent === undefined ? {} : { parent }) });
    for (const service of await this.#list('/apisix/admin/services', labels)) {
      const path = `/apisix/admin/services/${service.id}`;
      take('service', path, service);
      const collection = service.type === 'stream' ? 'stream_route' : 'route';
      for (const route of await this.#list(`/apisix/admin/${collection}s`, `service_id=${service.id}`))
        take(collection, `/apisix/admin/${collection}s/${route.id}`, route, path);
      for (const upstream of await this.#list(`${path}/upstreams`))
        if (upstream.id !== service.id) take('upstream', `${path}/upstreams/${upstream.id}`, upstream, path);
    }
    for (const consumer of await this.#list('/apisix/admin/consumers', labels)) {
      const path = `/apisix/admin/consumers/${consumer.username}`;
      take('consumer', path, consumer);
      for (const credential of await this.#list(`${path}/credentials`))
        take('consumer_credential', `${path}/credentials/${credential.id}`, credential, path);
    }
    for (const ssl of await this.#list('/apisix/admin/ssls', labels)) take('ssl', `/apisix/admin/ssls/${ssl.id}`, ssl);
    for (const rule of await this.#list('/apisix/admin/global_rules', labels))
      take('global_rule', `/apisix/admin/global_rules/${Object.keys(asObject(rule.plugins))[0]}`, rule);
    for (const [plugin, metadata] of Object.entries(await this.#get('/apisix/admin/plugin_metadata', labels)))
      found.set(`/apisix/admin/plugin_metadata/${plugin}`, { type: 'plugin_metadata', body: asObject(metadata) });
    return found;
  }

  async #list(path: string, query = ''): Promise<readonly JsonObject[]> {
    const { body } = await this.#request('GET', path, query);
    if (!Array.isArray(body.list)) throw new Error(`${path} gave no list`);
    return body.list;
  }

  async #get(path: string, query = ''): Promise<JsonObject> {
    return asObject((await this.#request('GET', path, query)).body.value);
  }

  async #write(path: string, body: JsonObject | undefined): Promise<void> {
    await this.#request(body === undefined ? 'DELETE' : 'PUT', path, '', body);
  }

  async #request(method: 'GET' | 'PUT' | 'DELETE', path: string, query: string, body?: JsonObject) {
    const answer = await this.#admin.send(method, `${path}?${[this.#query, query].filter(Boolean).join('&')}`, {
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      ...(body === undefined ? {} : { body }),
      ...(this.#token === undefined ? {} : { token: this.#token }),
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new Error(`${method} ${path}, responded with status ${answer.status}, error_msg: ${answer.body?.error_msg ?? answer.text}`);
  }
}

/** The bodies that ADC sends, by path. */
function flatten(configuration: AdcConfiguration): ReadonlyMap<string, Entry> {
  const { services = [], consumers = [], ssls = [], global_rules = {}, plugin_metadata = {} } = configuration;
  const entries = new Map<string, Entry>();
  for (const { id, routes = [], stream_routes = [], upstreams = [], ...service } of services) {
    const path = `/apisix/admin/services/${id}`;
    entries.set(path, { type: 'service', body: { service_id: id, ...service } });
    for (const route of asList(routes))
      entries.set(`/apisix/admin/routes/${route.id}`, {
        type: 'route',
        body: { ...without(route, 'id'), route_id: route.id ?? '', service_id: id },
      });
    for (const route of asList(stream_routes)) {
      const body = { ...without(route, 'id'), stream_route_id: route.id ?? '', service_id: id };
      entries.set(`/apisix/admin/stream_routes/${route.id}`, { type: 'stream_route', body });
    }
    for (const upstream of asList(upstreams))
      entries.set(`${path}/upstreams/${upstream.id}`, { type: 'upstream', body: without(upstream, 'id') });
  }
  for (const { credentials = [], ...consumer } of consumers) {
    const path = `/apisix/admin/consumers/${consumer.username}`;
    entries.set(path, { type: 'consumer', body: consumer });
    for (const credential of asList(credentials))
      entries.set(`${path}/credentials/${credential.id}`, { type: 'consumer_credential', body: credential });
  }
  for (const ssl of ssls) entries.set(`/apisix/admin/ssls/${ssl.id}`, { type: 'ssl', body: { status: 1, ...ssl } });
  for (const [plugin, rule] of Object.entries(global_rules))
    entries.set(`/apisix/admin/global_rules/${plugin}`, { type: 'global_rule', body: { plugins: { [plugin]: rule } } });
  for (const [plugin, metadata] of Object.entries(plugin_metadata))
    entries.set(`/apisix/admin/plugin_metadata/${plugin}`, { type: 'plugin_metadata', body: asObject(metadata) });
  return entries;
}

function readable(type: Type, body: JsonObject): JsonObject {
  if (type === 'plugin_metadata') return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => READ_FIELDS[type].includes(name)));
}

function schemaOf(schemas: JsonObject, type: Type, body: JsonObject): JsonObject {
  return asObject(schemas[type === 'service' && body.type === 'stream' ? 'stream_service' : type]);
}

/** A resource with the defaults that a schema announces: missing scalars are taken over, objects and arrays looked into where they are written. */
export function withDefaults(value: JsonObject, schema: JsonObject): JsonObject {
  if (schema.type !== 'object' || !isJsonObject(schema.properties)) return value;
  const merged: Record<string, JsonValue> = { ...value };
  for (const [name, fieldSchema] of Object.entries(schema.properties)) {
    const [field, described] = [value[name], asObject(fieldSchema)];
    const items = asObject(described.items);
    if (isJsonObject(field)) merged[name] = withDefaults(field, described);
    else if (Array.isArray(field) && items.type === 'object')
      merged[name] = field.map((item: JsonValue) => (isJsonObject(item) ? withDefaults(item, items) : item));
    else if (field === undefined && described.default !== undefined && typeof described.default !== 'object')
      merged[name] = described.default;
  }
  return merged;
}

function without(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== name));
}

function asList(value: JsonValue): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
