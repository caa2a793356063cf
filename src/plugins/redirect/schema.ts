import { compileRegex } from '../../expression/index.ts';
import { type Issue, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place; exactly one of the first three is there. */
export interface RedirectConfiguration {
  readonly http_to_https?: boolean;
  readonly uri?: string;
  readonly regex_uri?: readonly [regex: string, replacement: string];
  readonly ret_code: number;
  readonly encode_uri: boolean;
  readonly append_query_string: boolean;
}

/** What can be configured of redirect: fields, limits and defaults of APISIX's plugin; statuses end with 599. */
export const redirectSchema: PluginSchema = {
  name: 'redirect',
  version: '0.1',
  priority: 900,
  type: 'other',
  schema: Type.Object(
    {
      http_to_https: Type.Optional(Type.Boolean({ description: 'Send clients of http to the same place with https' })),
      uri: Type.Optional(Type.String({ minLength: 2, description: 'Where to send clients to; may hold variables ($name)' })),
      regex_uri: Type.Optional(
        Type.Array(Type.String(), {
          minItems: 2,
          maxItems: 2,
          description: 'A regular expression for the path, and what its match is replaced with; paths that do not match go on',
        }),
      ),
      ret_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 302, description: 'Status of the answer' })),
      encode_uri: Type.Optional(Type.Boolean({ default: false, description: 'Escape the location up to its query' })),
      append_query_string: Type.Optional(Type.Boolean({ default: false, description: 'Add the query of the request to the location' })),
    },
    { oneOf: [{ required: ['uri'] }, { required: ['regex_uri'] }, { required: ['http_to_https'] }] },
  ),
  metadataSchema: Type.Object({
    https_port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description: 'Port at which clients reach https, in place of the one the gateway listens on',
      }),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: ({ http_to_https: toHttps, append_query_string: appends, regex_uri: rule }) => [
    ...(toHttps === true && appends === true ? [BOTH] : []),
    ...checkRule(textList(rule)),
  ],
};

const BOTH: Issue = { pointer: '', message: 'only one of `http_to_https` and `append_query_string` can be configured.' };

function checkRule([pattern, replacement]: readonly string[]): readonly Issue[] {
  const regex = pattern === undefined ? undefined : compileRegex(pattern);
  if (regex?.kind !== 'invalid') return [];
  return [{ pointer: '/regex_uri/0', message: `invalid regex_uri (${pattern}, ${replacement}), err:${regex.message}` }];
}
