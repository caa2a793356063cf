import { hostname } from 'node:os';
import type { VariableValue } from '../../plugin-kit/index.ts';
import type { StreamContext } from './stream-context.ts';

const HOST_NAME = hostname();

type ReadVariable = (context: StreamContext) => VariableValue;

/** Variables of a connection (docs/streams.md); names are nginx's and APISIX's. */
const FIXED: ReadonlyMap<string, ReadVariable> = new Map<string, ReadVariable>([
  ['remote_addr', ({ remoteAddress }) => remoteAddress],
  ['remote_port', ({ remotePort }) => remotePort],
  ['server_addr', ({ client }) => client.localAddress()],
  ['server_port', ({ client }) => client.localPort],
  ['protocol', ({ protocol }) => protocol.toUpperCase()],
  ['hostname', () => HOST_NAME],
  ['request_id', ({ id }) => id],
  ['msec', ({ startedAtMs }) => startedAtMs / 1000],
  ['route_id', ({ route }) => route?.id],
  ['route_name', ({ route }) => route?.name],
  ['service_id', ({ route }) => route?.serviceId],
  ['service_name', ({ route }) => route?.serviceName],
  ['upstream_addr', ({ upstreamAddress }) => upstreamAddress],
  ['bytes_received', ({ bytesFromClient }) => bytesFromClient],
  ['bytes_sent', ({ bytesToClient }) => bytesToClient],
]);

/** The value of a variable by its name without `$`; undefined for an unknown name, and where the connection has none. */
export function streamVariable(context: StreamContext, name: string): VariableValue {
  return FIXED.get(name)?.(context);
}
