import type { JsonValue } from '../../lib/json.ts';
import type { SupervisedChild } from '../../supervisor/index.ts';
import type { DemoUpstreamSettings } from '../processes/demo-upstream-process.ts';
import { InheritedDescriptors } from './inherited-descriptors.ts';
import { type InstanceContext, superviseRole } from './instance-context.ts';
import { addressListeners } from './instance-endpoints.ts';

/** The demo upstream of this instance. */
export function demoRole(context: InstanceContext): SupervisedChild {
  const inherited = new InheritedDescriptors();
  const handedDown = inherited.listeners(context.endpoints.demo);
  const settings = {
    listeners: handedDown.length > 0 ? handedDown : addressListeners(context.endpoints.demo.port, context.configuration.demoHosts),
  } satisfies DemoUpstreamSettings;
  return superviseRole(context, { name: 'demo-upstream', descriptors: inherited.own, settings: () => settings as unknown as JsonValue });
}
