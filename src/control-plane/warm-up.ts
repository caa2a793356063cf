import { validatePlugins } from '../plugin-kit/index.ts';
import { PLUGIN_SCHEMAS } from '../plugins/schemas.ts';
import { RESOURCE_KINDS } from '../schema/index.ts';

/** Has the schemas of all kinds and plugins compiled (about 0.2 s), so that the first request does not wait for it. */
export function warmUp(): void {
  for (const kind of RESOURCE_KINDS) kind.validate({});
  for (const { name } of PLUGIN_SCHEMAS) {
    for (const site of ['route', 'credential'] as const) validatePlugins({ [name]: {} }, site, PLUGIN_SCHEMAS);
  }
}
