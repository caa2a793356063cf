import type { Author } from '../../store/index.ts';
import { type ApiRequest, originOfRequest } from '../http/index.ts';

/**
 * Who makes a change, as history and audit log name them: the token, or the user where none was shown, and from where and why the change came.
 *
 * @throws PortcullisError 400 for a reason that cannot be kept
 */
export function authorOf(request: ApiRequest): Author {
  if (request.caller === undefined) throw new Error('a change was asked for without a caller');
  return { ...request.caller.author, origin: originOfRequest(request) };
}
