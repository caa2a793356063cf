import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place. */
export interface CsrfConfiguration {
  readonly key: string;
  readonly expires: number;
  readonly name: string;
}

/** What can be configured of csrf: fields and defaults of APISIX's plugin; the name must be one that a header can have. */
export const csrfSchema: PluginSchema = {
  name: 'csrf',
  version: '0.1',
  priority: 2980,
  type: 'other',
  schema: Type.Object({
    key: Type.String({ description: 'Secret with which the tokens are signed' }),
    expires: Type.Optional(Type.Integer({ default: 7200, description: 'Seconds for which a token is good; 0 for ever' })),
    name: Type.Optional(
      Type.String({
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        default: 'apisix-csrf-token',
        description: 'Name of the cookie, and of the header that must repeat it',
      }),
    ),
  }),
  secretFields: ['key'],
  identityHeaders: [],
};
