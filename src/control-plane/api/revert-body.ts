import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { compileValidator, formatIssues, Type, type Validator } from '../../schema/index.ts';

const CLOSED = { additionalProperties: false };
const revision = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const secretsOfResource = Type.Optional(Type.Unsafe<JsonObject>({ type: 'object' }));
const secretsByResource = Type.Optional(
  Type.Unsafe<Readonly<Record<string, JsonObject>>>({ type: 'object', additionalProperties: { type: 'object' } }),
);
const credentials = Type.Array(Type.String({ maxLength: 2_048 }), { minItems: 1, maxItems: 10_000 });

/** What the revert of a resource reads. */
export const resourceRevert = compileValidator(Type.Object({ revision, secrets: secretsOfResource }, CLOSED));
/** What the revert of a group reads. */
export const groupRevert = compileValidator(Type.Object({ revision, secrets: secretsByResource }, CLOSED));
/** The same with the credentials that may come back. */
export const revivingGroupRevert = compileValidator(Type.Object({ revision, secrets: secretsByResource, credentials }, CLOSED));

/** What one resource is to be brought back to. */
export interface ResourceRevert {
  readonly revision: number;
  /** Secrets in place of those that are gone, by JSON pointer. */
  readonly secrets: ReadonlyMap<string, JsonValue>;
}

/** What a group is to be brought back to. */
export interface GroupRevert {
  readonly revision: number;
  /** By the name of a resource, then by JSON pointer. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, JsonValue>>;
  /** Names of the credentials that may come back, and of consumers whose own may. */
  readonly revived: ReadonlySet<string>;
}

/** Reads the body of a revert of one resource. @throws PortcullisError 400 that names every fault by its JSON pointer */
export function readResourceRevert(body: JsonValue): ResourceRevert {
  const read = matched(resourceRevert, body);
  return { revision: read.revision, secrets: new Map(Object.entries(read.secrets ?? {})) };
}

/** Reads the body of a revert of a group. @throws PortcullisError 400 that names every fault by its JSON pointer */
export function readGroupRevert(body: JsonValue): GroupRevert {
  const read = matched(groupRevert, body);
  return { revision: read.revision, secrets: mapsOf(read.secrets), revived: new Set() };
}

/** The same with credentials to revive by their names. @throws PortcullisError 400 that names every fault by its JSON pointer */
export function readRevivingGroupRevert(body: JsonValue): GroupRevert {
  const read = matched(revivingGroupRevert, body);
  return { revision: read.revision, secrets: mapsOf(read.secrets), revived: new Set(read.credentials) };
}

function mapsOf(secrets: Readonly<Record<string, JsonObject>> | undefined): GroupRevert['secrets'] {
  return new Map(Object.entries(secrets ?? {}).map(([name, byPointer]) => [name, new Map(Object.entries(byPointer))]));
}

function matched<Value>(match: Validator<Value>, body: JsonValue): Value {
  const result = match(body);
  if (!result.ok) throw new PortcullisError('admin_invalid', { publicMessage: formatIssues(result.issues) });
  return result.value;
}
