import type { ErrorReason } from '../../errors/index.ts';
import type { HealthReport } from '../health/index.ts';

/** What the failure of an attempt says of its node; undefined: nothing, for it is not the node's. */
export function failureReport(reason: ErrorReason): HealthReport | undefined {
  switch (reason) {
    case 'connect_timeout':
    case 'upstream_read_timeout':
    case 'upstream_send_timeout':
      return 'timeout_failure';
    case 'connect_refused':
    case 'connect_failed':
    case 'upstream_tls_failed':
    case 'upstream_certificate_invalid':
    case 'upstream_closed':
    case 'upstream_refused_stream':
    case 'upstream_cancelled':
    case 'upstream_calm':
    case 'upstream_reset':
    case 'bad_upstream_response':
      return 'tcp_failure';
    default:
      return undefined;
  }
}
