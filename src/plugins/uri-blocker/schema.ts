import { checkRegexes, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place. */
export interface UriBlockerConfiguration {
  readonly block_rules: readonly string[];
  readonly rejected_code: number;
  readonly rejected_msg?: string;
  readonly case_insensitive: boolean;
}

/** What can be configured of uri-blocker: fields, limits and defaults of APISIX's plugin; statuses end with 599. */
export const uriBlockerSchema: PluginSchema = {
  name: 'uri-blocker',
  version: '0.1',
  priority: 2900,
  type: 'other',
  schema: Type.Object({
    block_rules: Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
      uniqueItems: true,
      description: 'Regular expressions, searched in path and query; an empty list blocks everything',
    }),
    rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 403, description: 'Status of the refusal' })),
    rejected_msg: Type.Optional(Type.String({ minLength: 1, description: 'Message of the refusal' })),
    case_insensitive: Type.Optional(Type.Boolean({ default: false, description: 'Upper and lower case are the same' })),
  }),
  secretFields: [],
  identityHeaders: [],
  check: ({ block_rules: rules, case_insensitive: ignoreCase }) =>
    checkRegexes(textList(rules), '/block_rules', { ignoreCase: ignoreCase === true }),
};
