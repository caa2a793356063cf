import { checkRegexes, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place; exactly one of the lists is there. */
export interface UaRestrictionConfiguration {
  readonly allowlist?: readonly string[];
  readonly denylist?: readonly string[];
  readonly bypass_missing: boolean;
  readonly message: string;
}

const regexes = (description: string) => Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description }));

/** What can be configured of ua-restriction: fields, limits and defaults of APISIX's plugin. */
export const uaRestrictionSchema: PluginSchema = {
  name: 'ua-restriction',
  version: '0.1',
  priority: 2999,
  type: 'other',
  schema: Type.Object(
    {
      allowlist: regexes('Regular expressions of the user agents that may pass; all others may not'),
      denylist: regexes('Regular expressions of the user agents that may not pass; all others may'),
      bypass_missing: Type.Optional(Type.Boolean({ default: false, description: 'Let requests without User-Agent pass' })),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, default: 'Not allowed', description: 'Message of the refusal' })),
    },
    { oneOf: [{ required: ['allowlist'] }, { required: ['denylist'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
  check: ({ allowlist, denylist }) => [
    ...checkRegexes(textList(allowlist), '/allowlist'),
    ...checkRegexes(textList(denylist), '/denylist'),
  ],
};
