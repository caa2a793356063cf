import { type PluginAnswer, refuse } from '../../plugin-kit/index.ts';

export interface RejectionConfiguration {
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

/** The answer to what is over a limit: with a message as APISIX's plugins write it, without one the gateway's own. */
export function rejectionOf(
  reason: 'limit_count_exceeded' | 'limit_req_exceeded' | 'limit_conn_exceeded',
  { rejected_code: status, rejected_msg: message }: RejectionConfiguration,
): PluginAnswer {
  return message === undefined ? refuse(reason, { status, style: 'gateway' }) : refuse(reason, { status, message, style: 'error_msg' });
}

/** The answer where nothing could be counted: what the configuration says gives no key or no limit, or the counter failed. */
export const LIMIT_FAILED: PluginAnswer = refuse('limit_failed', { style: 'gateway', message: 'failed to limit requests' });
