import type { JsonObject } from '../../lib/json.ts';
import type { OutgoingCalls, OutgoingRequest } from '../../plugin-kit/index.ts';
import { parseObject } from './secret-content.ts';
import { SecretError } from './secret-error.ts';

/** As APISIX waits for Vault. */
const TIMEOUT_MS = 5000;

export interface ManagerAnswer {
  readonly status: number;
  /** Read where it is asked for: answers to failed requests are often no JSON. @throws SecretError */
  body(): JsonObject;
}

/** One exchange with a secret manager. @throws SecretError when it does not answer */
export async function askForSecret(
  calls: OutgoingCalls,
  request: Pick<OutgoingRequest, 'method' | 'url' | 'headers' | 'body'> & { readonly verifyTls?: boolean },
): Promise<ManagerAnswer> {
  try {
    const { status, body } = await calls.send({ verifyTls: true, ...request, timeoutMs: TIMEOUT_MS });
    return { status, body: () => parseObject(body.toString(), 'the answer is not a JSON object') };
  } catch (error) {
    throw new SecretError('failed', error instanceof Error ? error.message : 'the call failed');
  }
}

/** Where an answer is none that was asked for: 404 says that there is no such secret. */
export function refusedBy(manager: string, status: number): SecretError {
  return new SecretError(status === 404 ? 'gone' : 'failed', `${manager} answered ${status}`);
}
