import { byteStringOf } from '../../lib/byte-string.ts';
import { isFieldValue } from '../../lib/field-syntax.ts';
import { checkRegexes, type Issue, type JsonObject, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place. */
export interface CorsConfiguration {
  readonly allow_origins: string;
  readonly allow_methods: string;
  readonly allow_headers: string;
  readonly expose_headers?: string;
  readonly max_age: number;
  readonly allow_credential: boolean;
  readonly allow_origins_by_regex?: readonly string[];
  readonly allow_origins_by_metadata?: readonly string[];
  readonly timing_allow_origins?: string;
  readonly timing_allow_origins_by_regex?: readonly string[];
}

/** `*`, `**`, `null`, or origins with commas between them (APISIX). */
const ORIGINS = '^(\\*|\\*\\*|null|\\w+://[^,\\s]+(,\\w+://[^,\\s]+)*)$';

const text = (defaultText: string, description: string) => Type.Optional(Type.String({ default: defaultText, description }));
const list = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { minItems: 1, uniqueItems: true, description }));

/** What can be configured of cors: fields, limits and defaults of APISIX's plugin. */
export const corsSchema: PluginSchema = {
  name: 'cors',
  version: '0.1',
  priority: 4000,
  type: 'other',
  schema: Type.Object({
    allow_origins: Type.Optional(
      Type.String({
        pattern: ORIGINS,
        default: '*',
        description: 'Origins whose pages may read answers: * for all, ** for whichever asks, null, or a list with commas',
      }),
    ),
    allow_methods: text('*', 'Methods that such pages may use, with commas; ** for all'),
    allow_headers: text('*', 'Headers that such pages may send, with commas; ** for those that are asked for'),
    expose_headers: Type.Optional(Type.String({ description: 'Headers of answers that such pages may read, with commas' })),
    max_age: Type.Optional(Type.Integer({ default: 5, description: 'Seconds for which browsers may keep this answer; -1 for none' })),
    allow_credential: Type.Optional(Type.Boolean({ default: false, description: 'Such pages may send cookies and other credentials' })),
    allow_origins_by_regex: list('Regular expressions of origins, in place of allow_origins'),
    allow_origins_by_metadata: list('Names of sets of origins in the metadata of the plugin, looked at first'),
    timing_allow_origins: Type.Optional(
      Type.String({ pattern: ORIGINS, description: 'Origins whose pages may read timings, written as allow_origins' }),
    ),
    timing_allow_origins_by_regex: list('Regular expressions of origins whose pages may read timings, in place of timing_allow_origins'),
  }),
  metadataSchema: Type.Object({
    allow_origins: Type.Optional(
      Type.Unsafe<Readonly<Record<string, string>>>({
        type: 'object',
        additionalProperties: { type: 'string', pattern: ORIGINS },
        description: 'Sets of origins by name, each written as allow_origins of the plugin',
      }),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: (configuration) => [
    ...checkCredentials(configuration),
    ...FIELD_VALUES.flatMap((name) => checkFieldValue(configuration, name)),
    ...REGEX_LISTS.flatMap((name) => checkRegexes(textList(configuration[name]), `/${name}`)),
  ],
};

const FIELD_VALUES = ['allow_origins', 'allow_methods', 'allow_headers', 'expose_headers', 'timing_allow_origins'] as const;
const REGEX_LISTS = ['allow_origins_by_regex', 'timing_allow_origins_by_regex'] as const;

/** Browsers take no `*` for requests with credentials. */
function checkCredentials(configuration: JsonObject): readonly Issue[] {
  if (configuration.allow_credential !== true || FIELD_VALUES.every((name) => configuration[name] !== '*')) return [];
  return [{ pointer: '', message: "you can not set '*' for other option when 'allow_credential' is true" }];
}

function checkFieldValue(configuration: JsonObject, name: string): readonly Issue[] {
  const value = configuration[name];
  if (typeof value !== 'string' || isFieldValue(byteStringOf(value))) return [];
  return [{ pointer: `/${name}`, message: 'a header cannot hold control characters' }];
}
