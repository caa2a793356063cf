import type { JsonObject, JsonValue } from '../lib/json.ts';
import { compileValidator, type Validator } from './compile-validator.ts';
import { isJsonObject } from './copy-document.ts';
import { appendPointer, type Issue } from './issue.ts';
import { type TSchema, Type } from './schema-builder.ts';
import { isSecretReference, parseSecretReference } from './secret-reference.ts';

/** What answers show in place of a secret. It is refused on writes, so that nobody stores it by sending back what was read. */
const MASKED_SECRET = '********';

const textField = Type.String({ minLength: 1 });
const addressField = Type.String({ pattern: '^[^/]+://[^/]+' });

/** How each kind of manager is reached: APISIX's secret schemas, and for Kubernetes API7's. */
const MANAGERS: ReadonlyMap<string, Validator<JsonObject>> = new Map<string, Validator<JsonObject>>([
  [
    'vault',
    compileValidator(
      Type.Object({
        uri: addressField,
        prefix: Type.String(),
        token: Type.String(),
        namespace: Type.Optional(Type.String()),
        kv_version: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['kv', 'kv-v1', 'kv-v2'] })),
      }),
    ),
  ],
  [
    'aws',
    compileValidator(
      Type.Object({
        access_key_id: Type.String(),
        secret_access_key: Type.String(),
        session_token: Type.Optional(Type.String()),
        region: Type.Optional(Type.String()),
        endpoint_url: Type.Optional(addressField),
      }),
    ),
  ],
  [
    'gcp',
    compileValidator(
      Type.Object({
        auth_config: Type.Optional(
          Type.Object({
            client_email: Type.String(),
            private_key: Type.String(),
            project_id: Type.String(),
            token_uri: Type.Optional(Type.String()),
            scope: Type.Optional(Type.Array(Type.String())),
            entries_uri: Type.Optional(Type.String()),
          }),
        ),
        auth_file: Type.Optional(textField),
        ssl_verify: Type.Optional(Type.Boolean()),
      }),
    ),
  ],
  ['kubernetes', compileValidator(Type.Object({ apiserver_addr: addressField, token: Type.String() }))],
]);

/** JSON pointers of what is secret, whatever the manager. */
const SECRET_POINTERS = ['/token', '/secret_access_key', '/session_token', '/auth_config/private_key'] as const;

/** The shape that all managers have in common: none. */
export const secretProviderSchema = Type.Object({ id: Type.Optional(Type.String()) });

/** How a provider of each manager is written, by the manager's name. */
export function secretProviderSchemas(): ReadonlyMap<string, TSchema> {
  return new Map([...MANAGERS].map(([manager, { schema }]) => [manager, schema]));
}

/** The manager and the provider's own id, e.g. `vault/1`, as APISIX names it; the own id is none of the reserved names. */
export const secretProviderIdField = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: `^(?:${[...MANAGERS.keys()].join('|')})/(?!(?:__proto__|constructor|prototype)$)[a-zA-Z0-9-_.]+$`,
});

/** What is wrong with a provider of the manager that its id names; the id in the body counts where the path names none. */
export function checkSecretProvider(document: JsonObject, id: string | undefined): readonly Issue[] {
  const name = id ?? (typeof document.id === 'string' ? document.id : '');
  const match = MANAGERS.get(name.split('/', 1)[0] ?? '');
  if (match === undefined) return [{ pointer: '/id', message: `value must begin with one of ${[...MANAGERS.keys()].join('/, ')}/` }];
  const matched = match(document);
  if (!matched.ok) return matched.issues;
  return [
    ...checkGoogleAccount(name, document),
    ...SECRET_POINTERS.flatMap((pointer) => checkUnmasked(document, pointer)),
    ...checkReferences(document, ''),
  ];
}

/** The pointers of the secrets that a provider has. A reference to one is none. */
export function secretPointersOfProvider(document: JsonObject): readonly string[] {
  return SECRET_POINTERS.filter((pointer) => {
    const value = valueAt(document, pointer);
    return typeof value === 'string' && !isSecretReference(value);
  });
}

/** Providers are how secrets are found, so theirs can come from the environment of the gateways only. */
function checkReferences(value: JsonValue, pointer: string): readonly Issue[] {
  if (typeof value === 'string') {
    const parsed = isSecretReference(value) ? parseSecretReference(value) : undefined;
    if (parsed === undefined) return [];
    if (!parsed.ok) return [{ pointer, message: parsed.problem }];
    return parsed.reference.kind === 'environment' ? [] : [{ pointer, message: 'a secret provider takes no reference but $env://NAME' }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => checkReferences(field, appendPointer(pointer, name)));
}

/** The provider as answers show it: with its id, and with a mask in place of its secrets. */
export function presentSecretProvider(document: JsonObject, id: string): JsonObject {
  const masked = secretPointersOfProvider(document).reduce(
    (rest, pointer) => withValueAt(rest, pointer.split('/').slice(1), MASKED_SECRET),
    document,
  );
  return { ...masked, id };
}

function checkGoogleAccount(name: string, document: JsonObject): readonly Issue[] {
  if (!name.startsWith('gcp/') || document.auth_config !== undefined || document.auth_file !== undefined) return [];
  return [{ pointer: '/auth_config', message: 'property "auth_config" or "auth_file" is missing' }];
}

function checkUnmasked(document: JsonObject, pointer: string): readonly Issue[] {
  if (valueAt(document, pointer) !== MASKED_SECRET) return [];
  return [{ pointer, message: 'value is the mask of an answer, not a secret' }];
}

function valueAt(document: JsonObject, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const name of pointer.split('/').slice(1)) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

function withValueAt(document: JsonObject, [name = '', ...rest]: readonly string[], value: JsonValue): JsonObject {
  const inner = document[name];
  return { ...document, [name]: rest.length > 0 && isJsonObject(inner) ? withValueAt(inner, rest, value) : value };
}
