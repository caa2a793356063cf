import type { UpstreamTarget } from '../../engine/index.ts';
import type { BalancedNode, LatencyAverage } from '../balancer/index.ts';
import type { SecureTargets } from './secure-targets.ts';

/** One address that requests may be sent to. */
export interface Endpoint extends BalancedNode {
  /** Address and port: the same whatever the list around it. */
  readonly name: string;
  /** Where it is spoken to over TLS: the one by the node's own name. */
  readonly target: UpstreamTarget;
  /** Undefined: it is spoken to in clear. */
  readonly secure: SecureTargets | undefined;
  /** Where its requests in flight are counted; negative: nowhere. */
  readonly loadSlot: number;
  /** How quickly it answers; undefined where nobody asks. */
  readonly latency: LatencyAverage | undefined;
  /** The value of Host with `pass_host: node`: the node's host, with its port unless that is the scheme's own. */
  readonly hostValue: Buffer;
  /** `,"node":…` for the access log. */
  readonly logText: Buffer;
}
