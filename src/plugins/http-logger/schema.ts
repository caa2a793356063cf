import {
  type BatchConfiguration,
  batchFields,
  checkBodyExpressions,
  LOG_FIELDS,
  LOG_METADATA_FIELDS,
  type LogConfiguration,
  MAX_PENDING_FIELD,
  type PluginSchema,
  Type,
} from '../../plugin-kit/index.ts';

/** The configuration, defaults in place. */
export interface HttpLoggerConfiguration extends LogConfiguration, BatchConfiguration {
  readonly uri: string;
  readonly auth_header?: string;
  readonly timeout: number;
  readonly concat_method: 'json' | 'new_line';
  readonly ssl_verify: boolean;
}

/** What can be configured of http-logger: fields, limits and defaults of APISIX's plugin. */
export const httpLoggerSchema: PluginSchema = {
  name: 'http-logger',
  version: '0.1',
  priority: 410,
  type: 'other',
  schema: Type.Object({
    uri: Type.String({
      // A scheme, a host name or a bracketed IPv6 address, perhaps a port; whatever follows is free (APISIX, `uri_def`).
      pattern: '^[^/]+://([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?',
      description: 'Where entries are sent with POST',
    }),
    auth_header: Type.Optional(Type.String({ description: 'Value of the header Authorization' })),
    timeout: Type.Optional(Type.Integer({ minimum: 1, default: 3, description: 'Seconds that sending a batch may take' })),
    concat_method: Type.Optional(
      Type.Unsafe<'json' | 'new_line'>({
        type: 'string',
        enum: ['json', 'new_line'],
        default: 'json',
        description: 'json: an array of entries; new_line: an entry on each line',
      }),
    ),
    ssl_verify: Type.Optional(Type.Boolean({ default: false, description: "Verify the server's certificate" })),
    ...LOG_FIELDS,
    ...batchFields('http logger'),
  }),
  metadataSchema: Type.Object({ ...LOG_METADATA_FIELDS, max_pending_entries: MAX_PENDING_FIELD }),
  secretFields: ['auth_header'],
  identityHeaders: [],
  check: checkBodyExpressions,
};
