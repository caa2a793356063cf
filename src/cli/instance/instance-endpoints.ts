import type { Listener } from '../../lib/listener.ts';
import { type BoundEndpoint, bindDatagramEndpoint, bindEndpoint, canHandDownSockets, type Endpoint } from '../../supervisor/index.ts';
import type { Configuration, StreamListenerSetting } from '../configuration/index.ts';

/** Which roles this instance runs. */
export interface InstanceRoles {
  readonly controlPlane: boolean;
  readonly gateway: boolean;
  readonly demo: boolean;
}

/** Where each server of the instance is; unbound on platforms where sockets cannot be handed down. */
export interface InstanceEndpoints {
  readonly admin: BoundEndpoint;
  readonly sync: BoundEndpoint;
  readonly controlPlaneMetrics: BoundEndpoint;
  readonly http: BoundEndpoint;
  readonly https: BoundEndpoint;
  readonly status: BoundEndpoint;
  readonly metrics: BoundEndpoint;
  readonly demo: BoundEndpoint;
  /** In the order of the settings. */
  readonly streams: readonly BoundStreamListener[];
}

/** Where stream routes take connections. */
export interface BoundStreamListener {
  readonly setting: StreamListenerSetting;
  readonly endpoint: BoundEndpoint;
}

const NOT_HERE: BoundEndpoint = { port: 0, addresses: [] };

/**
 * Binds every port of the instance before any child runs, so that a port in use stops the start with nothing done.
 *
 * @throws StartError in one sentence.
 */
export async function bindInstanceEndpoints(configuration: Configuration, roles: InstanceRoles): Promise<InstanceEndpoints> {
  const bind = async (wanted: boolean, endpoint: Endpoint, copies: number): Promise<BoundEndpoint> => {
    if (!wanted) return NOT_HERE;
    if (!canHandDownSockets()) return { port: endpoint.port, addresses: [] };
    return bindEndpoint(endpoint, copies);
  };
  const { workers } = configuration;
  return {
    admin: await bind(roles.controlPlane, { flag: '--admin-port', port: configuration.adminPort, hosts: configuration.adminHosts }, 1),
    sync: await bind(roles.controlPlane, { flag: '--sync-port', port: configuration.syncPort, hosts: configuration.syncHosts }, 1),
    controlPlaneMetrics: await bind(
      roles.controlPlane,
      { flag: '--control-plane-metrics-port', port: configuration.controlPlaneMetricsPort, hosts: configuration.controlPlaneMetricsHosts },
      1,
    ),
    http: await bind(roles.gateway, { flag: '--http-port', port: configuration.httpPort, hosts: configuration.httpHosts }, workers),
    https: await bind(roles.gateway, { flag: '--https-port', port: configuration.httpsPort, hosts: configuration.httpsHosts }, workers),
    status: await bind(roles.gateway, { flag: '--status-port', port: configuration.statusPort, hosts: configuration.statusHosts }, 1),
    metrics: await bind(roles.gateway, { flag: '--metrics-port', port: configuration.metricsPort, hosts: configuration.metricsHosts }, 1),
    streams: await bindStreams(roles.gateway ? configuration : { ...configuration, streamListeners: [] }),
    demo: await bind(roles.demo, { flag: '--demo-port', port: configuration.demoPort, hosts: configuration.demoHosts }, 1),
  };
}

async function bindStreams({ streamListeners, workers }: Configuration): Promise<readonly BoundStreamListener[]> {
  const bound: BoundStreamListener[] = [];
  for (const setting of streamListeners) {
    const { protocol, host, port } = setting;
    const endpoint = { flag: `--stream-${protocol}-listen`, port, hosts: host === undefined ? [] : [host] };
    const bind = protocol === 'udp' ? bindDatagramEndpoint : bindEndpoint;
    bound.push({ setting, endpoint: canHandDownSockets() ? await bind(endpoint, workers) : { port, addresses: [] } });
  }
  return bound;
}

/** For a child that binds for itself, because nothing could be handed down. */
export function addressListeners(port: number, hosts: readonly string[]): Listener[] {
  return hosts.map((host) => ({ kind: 'address', host, port }));
}
