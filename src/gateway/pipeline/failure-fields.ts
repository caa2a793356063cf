import type { LogFields } from '../../observability/index.ts';
import type { RequestContext } from './request-context.ts';

/** Where a request's way through its plugins broke off. */
export interface FailedStep {
  readonly plugin: string;
  readonly phase: string;
}

/** What the log says of a request that failed: where, on which route, and whose it was where a plugin has recognised its client. */
export function failureFields(context: RequestContext, step: FailedStep | undefined): LogFields {
  const { candidate, consumer } = context;
  return {
    ...(step === undefined ? {} : { plugin: step.plugin, phase: step.phase }),
    ...(candidate === undefined ? {} : { route: candidate.route.id }),
    ...(consumer === undefined ? {} : { consumer: consumer.username }),
    ...(consumer?.credentialId === undefined ? {} : { credential: consumer.credentialId }),
    request_id: context.requestId,
  };
}
