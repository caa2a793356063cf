export { BodyCompression } from './body-compression.ts';
export type { Codec } from './codec.ts';
export type { CompressionConfiguration } from './compression-fields.ts';
