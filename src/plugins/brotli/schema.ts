import { type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { COMPRESSION_FIELDS, type CompressionConfiguration } from '../compression/compression-fields.ts';

/** The configuration, defaults in place. */
export interface BrotliConfiguration extends CompressionConfiguration {
  readonly comp_level: number;
  readonly mode: number;
  readonly lgwin: number;
  readonly lgblock: number;
}

/** What can be configured of brotli: fields, limits and defaults of APISIX's plugin. */
export const brotliSchema: PluginSchema = {
  name: 'brotli',
  version: '0.1',
  priority: 996,
  type: 'other',
  schema: Type.Object({
    ...COMPRESSION_FIELDS,
    comp_level: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 11, default: 6, description: '0 is the quickest, 11 makes the shortest answers' }),
    ),
    mode: Type.Optional(Type.Integer({ minimum: 0, maximum: 2, default: 0, description: '0: anything, 1: text, 2: fonts (WOFF 2.0)' })),
    lgwin: Type.Optional(
      Type.Unsafe<number>({
        type: 'integer',
        enum: [0, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
        default: 19,
        description: 'Logarithm of the window in bytes; 0 leaves it to the library',
      }),
    ),
    lgblock: Type.Optional(
      Type.Unsafe<number>({
        type: 'integer',
        enum: [0, 16, 17, 18, 19, 20, 21, 22, 23, 24],
        default: 0,
        description: 'Logarithm of the block in bytes; 0 leaves it to the library',
      }),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
};
