import { compileRegex } from '../../expression/index.ts';
import { type Issue, type JsonObject, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';
import { checkHeaders } from './check-headers.ts';

/** The configuration, defaults in place. */
export interface ProxyRewriteConfiguration {
  readonly uri?: string;
  readonly regex_uri?: readonly string[];
  readonly host?: string;
  readonly method?: string;
  readonly headers?: JsonObject;
  readonly use_real_request_uri_unsafe: boolean;
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'MKCOL',
  'COPY',
  'MOVE',
  'PROPFIND',
  'LOCK',
  'UNLOCK',
  'PATCH',
  'TRACE',
];

/** What can be configured of proxy-rewrite: fields, limits and defaults of APISIX's plugin. */
export const proxyRewriteSchema: PluginSchema = {
  name: 'proxy-rewrite',
  version: '0.1',
  priority: 1008,
  type: 'other',
  schema: Type.Object({
    uri: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        pattern: '^/',
        description: 'New path, perhaps with a query; may hold variables ($name)',
      }),
    ),
    regex_uri: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 2,
        description: 'Regular expressions and replacements in turn; the first that matches the path makes the new one. uri goes before it',
      }),
    ),
    host: Type.Optional(Type.String({ pattern: '^[0-9a-zA-Z.-]+(:\\d{1,5})?$', description: 'Host that the upstream receives' })),
    method: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: METHODS, description: 'Method that the upstream receives' })),
    headers: Type.Optional(
      Type.Unsafe<JsonObject>({
        type: 'object',
        minProperties: 1,
        description:
          'Headers by action (add and set: values by name, each a text, a number or a list of them; remove: a list of names), or values ' +
          'by name, which are set. Values may hold variables ($name) and what regex_uri has captured ($1)',
      }),
    ),
    use_real_request_uri_unsafe: Type.Optional(
      Type.Boolean({ default: false, description: 'Start from the path and query as they were sent, neither normalised nor decoded' }),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: ({ regex_uri: rules, headers }) => [
    ...checkRules(textList(rules)),
    ...(typeof headers === 'object' && headers !== null ? checkHeaders(headers as JsonObject) : []),
  ],
};

function checkRules(rules: readonly string[]): readonly Issue[] {
  if (rules.length % 2 === 1) return [{ pointer: '/regex_uri', message: 'The length of regex_uri should be an even number' }];
  return rules.flatMap((rule, index) => {
    const regex = index % 2 === 0 ? compileRegex(rule) : undefined;
    if (regex?.kind !== 'invalid') return [];
    return [{ pointer: `/regex_uri/${index}`, message: `invalid regex_uri(${rule}, ${rules[index + 1]}): ${regex.message}` }];
  });
}
