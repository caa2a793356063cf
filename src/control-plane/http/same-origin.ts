import { PortcullisError } from '../../errors/index.ts';

/** What decides whether a request may change something. */
export interface ChangingRequest {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly contentType: string | undefined;
  readonly hasBody: boolean;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what another site may have made a browser send along with its cookie or Basic credentials: a change that does not come from
 * the same origin, where the browser tells, or whose body a form could have sent. Clients that are no browsers tell no origin.
 *
 * @throws PortcullisError 403, 415
 */
export function refuseCrossSite(request: ChangingRequest): void {
  const { method, host, origin, fetchSite, contentType, hasBody } = request;
  if (SAFE_METHODS.has(method)) return;
  const isSameSite = fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none';
  if (!isSameSite || (origin !== undefined && origin.toLowerCase() !== `https://${host?.toLowerCase()}`)) {
    throw new PortcullisError('admin_forbidden', { publicMessage: 'Forbidden: this request comes from another site' });
  }
  if (hasBody && !/^application\/json\s*(;|$)/i.test(contentType ?? '')) throw new PortcullisError('admin_not_json');
}
