import { definePlugin } from '../../plugin-kit/index.ts';
import { BodyCompression } from '../compression/index.ts';
import { gzipCodec } from './gzip-codec.ts';
import { type GzipConfiguration, gzipSchema } from './schema.ts';

/** Those that nginx compresses. */
const STATUSES: ReadonlySet<number> = new Set([200, 403, 404]);

/** Compresses answers with gzip for clients that accept it. Behaviour is that of APISIX's gzip, and so nginx's. */
export const gzip = definePlugin<GzipConfiguration, BodyCompression>({
  ...gzipSchema,
  encodesBody: true,
  create: (configuration) => new BodyCompression(configuration, gzipCodec(configuration.comp_level), STATUSES),
  phases: {
    headerFilter: (request, response, compression) => compression.filterHead(request, response),
    bodyFilter: (request, response, compression) => compression.filterBody(request, response),
  },
});
