import { idField } from './fields.ts';
import { Type } from './schema-builder.ts';

/**
 * What all configurations of a plugin in a gateway group share. The document is the plugin's own, unwrapped, and judged by the plugin's
 * `metadataSchema`; its id is the plugin's name.
 */
export const pluginMetadataSchema = Type.Object({ id: Type.Optional(idField) });
