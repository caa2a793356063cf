import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { digestKey } from '../../lib/key-digest.ts';
import {
  describeMetadataSecrets,
  describeSecrets,
  describeShared,
  type PluginFacts,
  type PluginSchema,
  type PluginSecrets,
  type UniquePluginValue,
} from '../../plugin-kit/index.ts';
import { formatIssues, type Issue, type ResourceKind, validateDocument } from '../../schema/index.ts';
import type { SharedValue, UniqueValue } from '../../store/index.ts';
import { estimateEntropyBits, WEAK_KEY_BITS } from '../keys/index.ts';
import type { ApiContext } from './api-context.ts';
import { examinePlugins } from './examine-plugins.ts';

/** Fields that only answers hold; a client that sends back what it read must not have them stored. */
const ANSWER_FIELDS = ['created_at', 'updated_at'];

/** What others must agree about, and what is to be said where they do not. */
export interface ExaminedShare extends SharedValue {
  readonly mismatch: Issue;
}

/** A body that is fit to be stored, with all that the store must know of it. */
export interface ExaminedDocument {
  /** The body with the scalar defaults of its objects, without fields that the path or the server tells. */
  readonly document: JsonObject;
  readonly secretPointers: readonly string[];
  readonly unique: readonly UniqueValue[];
  readonly shared: readonly ExaminedShare[];
  readonly warnings: readonly string[];
}

/** All that is wrong with a body, its plugins included, or the document. `id` is the one in the path. */
export type Examination =
  | { readonly ok: true; readonly examined: ExaminedDocument }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** What a body is examined with. */
export type ExaminationContext = Pick<ApiContext, 'plugins' | 'keySalt' | 'clock'> & { readonly facts: PluginFacts };

/** Examines a body for a kind of resource without looking at any other resource. */
export function examineDocument(kind: ResourceKind, body: JsonValue, id: string | undefined, context: ExaminationContext): Examination {
  const validation = validateDocument(kind, body, id);
  const pluginIssues = examinePlugins(kind, body, id, context.plugins, context.facts);
  if (!validation.ok) return { ok: false, issues: [...validation.issues, ...pluginIssues] };
  if (pluginIssues.length > 0) return { ok: false, issues: pluginIssues };
  const document = withoutServerFields(kind, validation.document);
  const secrets = secretsOfPlugins(kind, document, context.plugins);
  return {
    ok: true,
    examined: {
      document,
      secretPointers: [
        ...kind.secretPointers(document),
        ...secrets.secretPointers,
        ...metadataSecrets(kind, id ?? validation.document.id, document, context.plugins),
      ],
      unique: digestUniqueValues(uniqueValuesOf(kind, document, secrets), context.keySalt),
      shared: sharedValuesOf(kind, document, context),
      warnings: [...kind.warnings(document, context.clock.nowMs()), ...warningsForKeys(secrets.uniqueValues, context.plugins)],
    },
  };
}

/** 400: faults of a body, each with the place where it is. */
export class InvalidDocument extends PortcullisError {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super('admin_invalid', { publicMessage: formatIssues(issues) });
    this.issues = issues;
  }
}

/** The same for a body that is to be written now. @throws InvalidDocument 400 that names every fault by its JSON pointer */
export function requireValidDocument(...parameters: Parameters<typeof examineDocument>): ExaminedDocument {
  const examination = examineDocument(...parameters);
  if (!examination.ok) throw new InvalidDocument(examination.issues);
  return examination.examined;
}

function secretsOfPlugins({ pluginSite }: ResourceKind, document: JsonObject, schemas: readonly PluginSchema[]): PluginSecrets {
  return pluginSite === undefined ? { secretPointers: [], uniqueValues: [] } : describeSecrets(document.plugins, pluginSite, schemas);
}

function sharedValuesOf(
  { pluginSite }: ResourceKind,
  document: JsonObject,
  { plugins, keySalt }: { readonly plugins: readonly PluginSchema[]; readonly keySalt: Buffer },
): readonly ExaminedShare[] {
  const shared = pluginSite === undefined ? [] : describeShared(document.plugins, pluginSite, plugins);
  return shared.map(({ plugin, name, text, mismatch }) => ({
    space: plugin,
    name: digestKey(keySalt, Buffer.from(name)),
    value: digestKey(keySalt, Buffer.from(text)),
    mismatch,
  }));
}

function metadataSecrets(
  { name }: ResourceKind,
  id: JsonValue | undefined,
  document: JsonObject,
  schemas: readonly PluginSchema[],
): readonly string[] {
  const schema = name === 'plugin_metadata' ? schemas.find((each) => each.name === id) : undefined;
  return schema === undefined ? [] : describeMetadataSecrets(document, schema);
}

function withoutServerFields(kind: ResourceKind, document: JsonObject): JsonObject {
  const answerFields = kind.form === 'resource' ? ANSWER_FIELDS : [];
  const left = new Set([
    ...answerFields,
    ...kind.answerFields,
    ...kind.bodyIdFields.filter((field) => field === 'id' || field !== kind.idField),
  ]);
  return Object.fromEntries(Object.entries(document).filter(([name]) => !left.has(name)));
}

interface SpacedValue {
  readonly space: string;
  readonly value: string;
}

function uniqueValuesOf(kind: ResourceKind, document: JsonObject, { uniqueValues }: PluginSecrets): readonly SpacedValue[] {
  return [...uniqueValues.map(({ plugin, value }) => ({ space: plugin, value })), ...kind.uniqueValues(document)];
}

function digestUniqueValues(values: readonly SpacedValue[], salt: Buffer): readonly UniqueValue[] {
  const unique = values.map(({ space, value }) => ({ space, digest: digestKey(salt, Buffer.from(value)) }));
  const spaces = unique.map(({ space, digest }) => `${space} ${digest.toString('hex')}`);
  if (new Set(spaces).size < spaces.length)
    throw new PortcullisError('admin_invalid', { publicMessage: 'the same key or certificate stands twice in the body' });
  return unique;
}

/** A unique value that is no secret, such as a user name, may be guessed by anybody. */
function warningsForKeys(values: readonly UniquePluginValue[], schemas: readonly PluginSchema[]): readonly string[] {
  return values.flatMap(({ plugin, field, value }) => {
    const isSecret = schemas.some((schema) => schema.name === plugin && schema.secretFields.includes(field));
    if (!isSecret || estimateEntropyBits(value) >= WEAK_KEY_BITS) return [];
    return [`the ${field} of plugin ${plugin} is easy to guess: use at least ${WEAK_KEY_BITS} random bits`];
  });
}
