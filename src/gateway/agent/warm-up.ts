import { PLUGINS } from '../../plugins/index.ts';
import { readRouteSettings, readServiceSettings } from '../runtime/read-settings.ts';

const SERVICE = { name: 'warm-up', upstream: { nodes: [{ host: '127.0.0.1', port: 1, weight: 1 }] } };
const ROUTE = { name: 'warm-up', paths: ['/'], service_id: 'warm-up' };

/**
 * Has the schemas compiled that every change is read with (about 90 ms), so that the first change after a start is in force as
 * quickly as any other: the answer of the Admin API waits for it.
 */
export function warmUp(): void {
  readServiceSettings('warm-up', SERVICE, PLUGINS);
  // A plugin whose configuration cannot be empty has its schema compiled by the attempt.
  const plugins = Object.fromEntries(PLUGINS.map((plugin) => [plugin.name, {}]));
  readRouteSettings('warm-up', { ...ROUTE, plugins }, PLUGINS);
}
