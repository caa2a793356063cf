import { type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { COMPRESSION_FIELDS, type CompressionConfiguration } from '../compression/compression-fields.ts';

/** The configuration, defaults in place. */
export interface GzipConfiguration extends CompressionConfiguration {
  readonly comp_level: number;
}

/** What can be configured of gzip: fields, limits and defaults of APISIX's plugin. */
export const gzipSchema: PluginSchema = {
  name: 'gzip',
  version: '0.1',
  priority: 995,
  type: 'other',
  schema: Type.Object({
    ...COMPRESSION_FIELDS,
    comp_level: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 9, default: 1, description: '1 is the quickest, 9 makes the shortest answers' }),
    ),
    buffers: Type.Optional(
      Type.Object(
        {
          number: Type.Optional(Type.Integer({ minimum: 1, default: 32, description: 'Accepted for compatibility; has no effect' })),
          size: Type.Optional(Type.Integer({ minimum: 1, default: 4096, description: 'Accepted for compatibility; has no effect' })),
        },
        { default: { number: 32, size: 4096 }, description: "nginx's buffers; memory is bounded in another way here" },
      ),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
};
