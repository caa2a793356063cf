import { PortcullisError } from '../../errors/index.ts';
import { resourceKind } from '../../schema/index.ts';
import type { CredentialPlace } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { rememberingReader } from './permission-facts.ts';
import { numberParameter } from './query-parameters.ts';
import { actionOn, isFree, mayDoToResource, permitKind } from './resource-permissions.ts';

/** Credentials that one request looks at, whatever it finds. */
const LOOKED_AT = 2000;
const CREDENTIAL = resourceKind('credential');
const SECONDS = { least: 0, most: 999_999_999_999 };

/** `GET /api/gateway_groups/{id}/unused_credentials`: keys that nobody has used for a while. Ours, not API7's. */
export function unusedCredentialRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/gateway_groups/:id/unused_credentials',
      permission: actionOn('credential', 'read'),
      resource: { kind: 'handler' },
      handle: (request) => listUnused(context, request),
    },
  ];
}

async function listUnused({ store, usage }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  permitKind(request, CREDENTIAL, 'read', groupId);
  if ((await store.getGroup(groupId)) === undefined)
    throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  const since = numberParameter(request.query, 'unused_since', SECONDS);
  if (since === undefined) throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter unused_since is required' });
  const { unused, next } = await usage.unusedCredentials(groupId, since, placeOf(request.query.get('after')), LOOKED_AT);
  const seesAll = isFree(request, 'credential', 'read', groupId);
  const facts = rememberingReader(store);
  const list = [];
  for (const { consumer, credential, createdAt, lastUsedAt } of unused) {
    const key = { groupId, kind: 'credential', parentId: consumer, id: credential };
    if (!seesAll && !(await mayDoToResource(facts, request, 'read', key, {}))) continue;
    const used = lastUsedAt === undefined ? {} : { last_used_at: lastUsedAt };
    list.push({ username: consumer, credential_id: credential, created_at: createdAt, ...used });
  }
  return { body: { list, ...(next === undefined ? {} : { next: `${next.consumer}/${next.credential}` }) } };
}

/** No name has a slash. */
function placeOf(text: string | null): CredentialPlace | undefined {
  if (text === null) return undefined;
  const [, consumer, credential] = /^([\w.-]{1,512})\/([\w.-]{1,512})$/.exec(text) ?? [];
  if (consumer !== undefined && credential !== undefined) return { consumer, credential };
  throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter after must be the "next" of an answer' });
}
