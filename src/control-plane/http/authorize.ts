import { PortcullisError } from '../../errors/index.ts';
import { isAllowedForAll } from '../access/index.ts';
import type { ApiRequest, ApiRoute } from './api-route.ts';
import { defaultTarget } from './default-target.ts';

/**
 * Refuses a request whose caller may not use the route, as far as the route itself can tell. A list that does not say that it leaves
 * out what the caller may not see is only for who may see all.
 *
 * @throws PortcullisError 403
 */
export function authorize(
  route: Pick<ApiRoute, 'method' | 'path' | 'permission' | 'resource' | 'beforePasswordChange'>,
  request: ApiRequest,
): void {
  const { permission, resource } = route;
  const { caller } = request;
  if (permission === 'public') return;
  if (caller === undefined) throw new PortcullisError('admin_unauthorized');
  if ((caller.by === 'session' || caller.by === 'password') && caller.user.mustChangePassword && route.beforePasswordChange !== true) {
    const publicMessage = 'the password must be changed first: PUT /api/password {"old_password":"…","new_password":"…"}';
    throw new PortcullisError('admin_forbidden', { publicMessage });
  }
  if (permission === 'signed-in' || resource?.kind === 'handler') return;
  if (resource?.kind === 'some') {
    request.permitSome(permission, resource.of(request));
    return;
  }
  const target = resource?.of(request) ?? defaultTarget(permission, route.path, request);
  const [name = ''] = target.names;
  if (route.method === 'GET' && name.endsWith('*')) {
    if (!isAllowedForAll(caller.access, permission, name)) throw forbidden(permission);
  } else request.permit(permission, target);
}

/** The refusal; it names the action that a policy would have to allow. */
export function forbidden(action: string): PortcullisError {
  return new PortcullisError('admin_forbidden', { publicMessage: `Forbidden: this needs the permission ${action}` });
}
