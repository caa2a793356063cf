import { PortcullisError } from '../../errors/index.ts';
import type { Author, ChangeOrigin } from '../../store/index.ts';
import { type ApiRequest, printable } from '../http/index.ts';

const MAX_REASON_CHARACTERS = 512;
const MAX_AGENT_CHARACTERS = 256;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

/**
 * Who makes a change, as history and audit log name them: the token, and from where and why the change came.
 *
 * @throws PortcullisError 400 for a reason that cannot be kept
 */
export function authorOf(request: ApiRequest): Author {
  if (request.caller === undefined) throw new Error('a change was asked for without a caller');
  return { id: request.caller.tokenId, name: request.caller.name, origin: originOfRequest(request) };
}

/** Where a request comes from and why, bounded and printable. @throws PortcullisError 400 as above */
function originOfRequest(request: ApiRequest): ChangeOrigin {
  const agent = request.header('user-agent');
  return {
    source: 'api',
    address: request.address,
    userAgent: agent === undefined ? undefined : printable(agent.slice(0, MAX_AGENT_CHARACTERS)),
    reason: reasonOf(request.header('x-change-reason')),
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
