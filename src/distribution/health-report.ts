import { asArray, asObject, own, readCount, readString, type UnknownFields } from './read-fields.ts';

/** What an instance takes one node of one upstream for. */
export interface ReportedNode {
  readonly serviceId: string;
  /** Absent: the upstream inside the service. */
  readonly upstreamId?: string;
  /** As it is configured. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** `healthy`, `mostly_healthy`, `mostly_unhealthy`, `unhealthy`, or what a later version may say. */
  readonly state: string;
}

/** What an instance takes its nodes for; each report replaces the one before. */
export interface HealthReport {
  /** Those that are down come first. */
  readonly nodes: readonly ReportedNode[];
  /** Further nodes that had no room. */
  readonly omitted: number;
}

/** A report takes no more as JSON: well below what any control plane takes from a gateway in one frame. */
export const MAX_HEALTH_REPORT_BYTES = 48 * 1024;

/** Reads a report; unknown fields are left out. @throws ProtocolError */
export function readHealthReport(fields: UnknownFields): HealthReport {
  const nodes = asArray(own(fields, 'nodes'), 'the field nodes').map((node) => readNode(asObject(node, 'a node')));
  return { nodes, omitted: readCount(fields, 'omitted') };
}

function readNode(fields: UnknownFields): ReportedNode {
  return {
    serviceId: readString(fields, 'serviceId'),
    ...(own(fields, 'upstreamId') === undefined ? {} : { upstreamId: readString(fields, 'upstreamId') }),
    host: readString(fields, 'host'),
    address: readString(fields, 'address'),
    port: readCount(fields, 'port'),
    state: readString(fields, 'state'),
  };
}
