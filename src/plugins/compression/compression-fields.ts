import { Type } from '../../plugin-kit/index.ts';

/** What gzip and brotli have in common, defaults in place. */
export interface CompressionConfiguration {
  readonly types: readonly string[] | '*';
  readonly min_length: number;
  readonly http_version: number;
  readonly vary?: boolean;
}

/** Fields of both plugins, as APISIX has them. */
export const COMPRESSION_FIELDS = Object.freeze({
  types: Type.Optional(
    Type.Unsafe<readonly string[] | '*'>({
      anyOf: [{ type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } }, { enum: ['*'] }],
      default: ['text/html'],
      description: 'Content types that are compressed, compared with what stands before the semicolon; * for all',
    }),
  ),
  min_length: Type.Optional(
    Type.Integer({ minimum: 1, default: 20, description: 'Shorter answers are not compressed, where their length is known beforehand' }),
  ),
  http_version: Type.Optional(
    Type.Unsafe<number>({ enum: [1.1, 1.0], default: 1.1, description: 'The lowest HTTP version of clients that get compressed answers' }),
  ),
  vary: Type.Optional(Type.Boolean({ description: 'Add Vary: Accept-Encoding, also where the client does not accept the coding' })),
});
