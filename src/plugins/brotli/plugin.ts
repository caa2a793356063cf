import { definePlugin } from '../../plugin-kit/index.ts';
import { BodyCompression } from '../compression/index.ts';
import { brotliCodec } from './brotli-codec.ts';
import { type BrotliConfiguration, brotliSchema } from './schema.ts';

/** Compresses answers with brotli for clients that accept it. Behaviour is that of APISIX's brotli. */
export const brotli = definePlugin<BrotliConfiguration, BodyCompression>({
  ...brotliSchema,
  encodesBody: true,
  create: (configuration) => new BodyCompression(configuration, brotliCodec(configuration)),
  phases: {
    headerFilter: (request, response, compression) => compression.filterHead(request, response),
    bodyFilter: (request, response, compression) => compression.filterBody(request, response),
  },
});
