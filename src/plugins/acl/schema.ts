import { checkRegexes, type Issue, type JsonObject, type JsonValue, type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** Wanted values by the name of a label. */
export type WantedLabels = Readonly<Record<string, readonly string[]>>;

/** The configuration, defaults in place; at least one of the sets of labels is there. */
export interface AclConfiguration {
  readonly allow_labels?: WantedLabels;
  readonly deny_labels?: WantedLabels;
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

const PARSERS = ['segmented_text', 'json', 'table'];
/** A path of names, indexes and `*`, in dots or brackets: what of JSONPath can lead to a label. */
const JSON_PATH =
  /^(?:\$\.?\.?)?(?:[^.[\]\s]+|\[(?:\d+|\*|"[^"]*"|'[^']*')\])(?:\.{0,2}\[(?:\d+|\*|"[^"]*"|'[^']*')\]|\.{1,2}[^.[\]\s]+)*$/;

const labels = (description: string) =>
  Type.Optional(
    Type.Unsafe<WantedLabels>({
      type: 'object',
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string' } },
      minProperties: 1,
      description,
    }),
  );
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

/** What can be configured of acl: fields, limits and defaults of APISIX's plugin; statuses end with 599. */
export const aclSchema: PluginSchema = {
  name: 'acl',
  version: '0.1',
  priority: 2410,
  type: 'other',
  schema: Type.Object(
    {
      allow_labels: labels('Consumers with one of these labels may pass; all others may not'),
      deny_labels: labels('Consumers with one of these labels may not pass'),
      external_user_label_field: Type.Optional(
        Type.String({ minLength: 1, default: 'groups', description: 'Kept for APISIX: path to the labels of an external user' }),
      ),
      external_user_label_field_key: text('Kept for APISIX: name of the label of an external user'),
      external_user_label_field_parser: Type.Optional(
        Type.Unsafe<string>({
          type: 'string',
          enum: PARSERS,
          description: 'Kept for APISIX: how the labels of an external user are written',
        }),
      ),
      external_user_label_field_separator: text('Kept for APISIX: regular expression between the labels of an external user'),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 403, description: 'Status of the refusal' })),
      rejected_msg: Type.Optional(Type.String({ description: 'Message of the refusal' })),
    },
    { anyOf: [{ required: ['allow_labels'] }, { required: ['deny_labels'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
  check: checkExternalUser,
};

function checkExternalUser(configuration: JsonObject): readonly Issue[] {
  const { external_user_label_field: field, external_user_label_field_separator: separator } = configuration;
  return [...checkPath(field), ...checkSeparator(configuration.external_user_label_field_parser, separator)];
}

function checkPath(field: JsonValue | undefined): readonly Issue[] {
  if (typeof field !== 'string' || JSON_PATH.test(field)) return [];
  return [{ pointer: '/external_user_label_field', message: 'invalid external_user_label_field: it is no JSONPath' }];
}

function checkSeparator(parser: JsonValue | undefined, separator: JsonValue | undefined): readonly Issue[] {
  const pointer = '/external_user_label_field_separator';
  if (typeof separator === 'string') return checkRegexes([separator], pointer).map(({ message }) => ({ pointer, message }));
  return parser === 'segmented_text' ? [{ pointer, message: 'property "external_user_label_field_separator" is missing' }] : [];
}
