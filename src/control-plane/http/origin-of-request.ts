import { PortcullisError } from '../../errors/index.ts';
import type { ChangeOrigin } from '../../store/index.ts';
import type { ApiRequest } from './api-route.ts';
import { printable } from './printable.ts';

const MAX_REASON_CHARACTERS = 512;
const MAX_AGENT_CHARACTERS = 256;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

/** Where a request comes from and why, bounded and printable. @throws PortcullisError 400 for a reason that cannot be kept */
export function originOfRequest(request: Pick<ApiRequest, 'address' | 'id' | 'header'>): ChangeOrigin {
  return { ...originWithoutReason(request), reason: reasonOf(request.header('x-change-reason')) };
}

/** Where a request comes from, of one that asks for no change. */
export function originWithoutReason(request: Pick<ApiRequest, 'address' | 'id' | 'header'>): ChangeOrigin {
  const agent = request.header('user-agent');
  return {
    source: 'api',
    address: request.address,
    userAgent: agent === undefined ? undefined : printable(agent.slice(0, MAX_AGENT_CHARACTERS)),
    reason: undefined,
    requestId: request.id,
  };
}

/** `header` has one character a byte; what the client means is UTF-8. */
function reasonOf(header: string | undefined): string | undefined {
  const reason = header === undefined ? '' : decode(header).trim();
  if (reason === '') return undefined;
  if ([...reason].length > MAX_REASON_CHARACTERS || !PRINTABLE.test(reason)) throw refused();
  return reason;
}

function decode(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    throw refused();
  }
}

function refused(): PortcullisError {
  const publicMessage = `the header X-Change-Reason must have at most ${MAX_REASON_CHARACTERS} printable characters in UTF-8`;
  return new PortcullisError('admin_invalid', { publicMessage });
}
