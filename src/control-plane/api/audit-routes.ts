import { PortcullisError } from '../../errors/index.ts';
import type { AuditPlace, AuditQuery } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { exportAudit } from './export-audit.ts';
import { presentAuditEntry } from './present-audit-entry.ts';
import { numberParameter } from './query-parameters.ts';

const DEFAULT_PAGE_SIZE = 20;
const SECONDS = { least: 0, most: 999_999_999_999 };

/** What a query may name, and what of an entry it must equal. */
const FILTERS = [
  ['event_type', 'action'],
  ['operator_id', 'authorId'],
  ['resource_id', 'resource'],
  ['gateway_group_id', 'groupId'],
  ['address', 'address'],
] as const satisfies readonly (readonly [string, keyof AuditQuery])[];

/** The audit log: API7's paths and parameters, with pages by cursor. */
export function auditRoutes(context: ApiContext): readonly ApiRoute[] {
  const { store } = context;
  return [
    { method: 'GET', path: '/api/audit_logs', permission: 'iam:GetAudit', handle: (request) => listAudit(context, request) },
    {
      method: 'GET',
      path: '/api/audit_logs/event_types',
      permission: 'iam:GetAudit',
      handle: async () => ({ body: { value: await store.listAuditActions() } }),
    },
    {
      method: 'GET',
      path: '/api/audit_logs/export',
      permission: 'iam:ExportAudits',
      handle: async ({ query }) => exportAudit(store, auditQueryOf(query), query.get('format') ?? 'json'),
    },
  ];
}

async function listAudit({ store }: ApiContext, { query }: ApiRequest): Promise<ApiAnswer> {
  const size = numberParameter(query, 'page_size', { least: 1, most: 500 }) ?? DEFAULT_PAGE_SIZE;
  const entries = await store.findAudit(auditQueryOf(query), cursorOf(query), size + 1);
  const page = entries.slice(0, size);
  const last = page.at(-1);
  const next = entries.length > size && last !== undefined ? { next: `${last.at}.${last.number}` } : {};
  return { body: { list: page.map(presentAuditEntry), ...next } };
}

/** @throws PortcullisError 400 that names the parameter */
function auditQueryOf(query: URLSearchParams): AuditQuery {
  const equals = FILTERS.flatMap(([parameter, field]) => {
    const value = query.get(parameter);
    return value === null || value === '' ? [] : [[field, value] as const];
  });
  const from = numberParameter(query, 'start_at', SECONDS);
  const until = numberParameter(query, 'end_at', SECONDS);
  return {
    ...Object.fromEntries(equals),
    ...(from === undefined ? {} : { from }),
    // API7's end belongs to the range.
    ...(until === undefined ? {} : { until: until + 1 }),
  };
}

function cursorOf(query: URLSearchParams): AuditPlace | undefined {
  const text = query.get('cursor');
  if (text === null) return undefined;
  const [, at, number] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (at !== undefined && number !== undefined) return { at: Number(at), number: Number(number) };
  throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter cursor must be the "next" of an answer' });
}
