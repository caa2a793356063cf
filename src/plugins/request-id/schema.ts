import { checkHeaderName, type Issue, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** How an id is made. */
export type IdAlgorithm = 'uuid' | 'nanoid' | 'range_id' | 'ksuid' | 'uuidv7';

/** The configuration, defaults in place. */
export interface RequestIdConfiguration {
  readonly header_name: string;
  readonly include_in_response: boolean;
  readonly algorithm: IdAlgorithm;
  readonly range_id?: { readonly length: number; readonly char_set: string };
}

/** APISIX's own, in which G stands twice and J is missing. */
export const DEFAULT_CHAR_SET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIGKLMNOPQRSTUVWXYZ0123456789';
export const DEFAULT_LENGTH = 16;

const ALGORITHMS: readonly IdAlgorithm[] = ['uuid', 'nanoid', 'range_id', 'ksuid', 'uuidv7'];
/** Longer ids would make heads that many servers refuse. */
const MAX_LENGTH = 1024;
/** No blanks, which a header loses at its ends, and no controls. */
const VISIBLE = /^[\u0021-\u007e\u00a1-\u{10ffff}]+$/u;
/** What can be configured of request-id: fields, limits and defaults of APISIX's plugin. */
export const requestIdSchema: PluginSchema = {
  name: 'request-id',
  version: '0.1',
  priority: 12_015,
  type: 'other',
  schema: Type.Object({
    header_name: Type.Optional(Type.String({ default: 'X-Request-Id', description: 'Header that carries the id' })),
    include_in_response: Type.Optional(Type.Boolean({ default: true, description: 'Put the id into the answer too' })),
    algorithm: Type.Optional(
      Type.Unsafe<IdAlgorithm>({ type: 'string', enum: ALGORITHMS, default: 'uuid', description: 'How an id is made' }),
    ),
    range_id: Type.Optional(
      Type.Object(
        {
          length: Type.Optional(Type.Integer({ minimum: 6, default: DEFAULT_LENGTH, description: 'Characters of an id, at most 1024' })),
          char_set: Type.Optional(
            Type.String({
              minLength: 6,
              default: DEFAULT_CHAR_SET,
              description: 'Characters of which ids are made; one that stands twice is twice as likely',
            }),
          ),
        },
        { description: 'For the algorithm `range_id`' },
      ),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: (configuration) => [...checkName(configuration), ...checkRange(configuration)],
};

function checkName({ header_name: name }: JsonObject): readonly Issue[] {
  return typeof name === 'string' ? checkHeaderName(name, '/header_name') : [];
}

/** APISIX checks none of this, and fails each request instead. */
function checkRange(configuration: JsonObject): readonly Issue[] {
  const { length, char_set: characters }: { length?: unknown; char_set?: unknown } = Object(configuration.range_id);
  const issues: Issue[] = [];
  if (typeof length === 'number' && length > MAX_LENGTH) {
    issues.push({ pointer: '/range_id/length', message: `value must be <= ${MAX_LENGTH}` });
  }
  if (typeof characters === 'string' && !VISIBLE.test(characters)) {
    issues.push({ pointer: '/range_id/char_set', message: 'value must hold no blanks and control characters' });
  }
  return issues;
}
