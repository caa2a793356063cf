import type { JsonObject } from '../../../lib/json.ts';
import { Type } from '../../../schema/index.ts';
import { type ApiDescription, type QueryParameter, schemaRef } from '../../openapi/index.ts';

const tag = 'Audit log';
const text = Type.String();
const seconds = Type.Integer({ minimum: 0, maximum: 999_999_999_999, description: 'Unix seconds' });

const FILTERS: readonly QueryParameter[] = [
  { name: 'event_type', description: 'Keeps entries of this kind, such as `credential.delete`', schema: text },
  { name: 'operator_id', description: 'Keeps what this user did', schema: text },
  { name: 'resource_id', description: 'Keeps what was done to this resource, as entries show it', schema: text },
  { name: 'gateway_group_id', description: 'Keeps what was done in this gateway group', schema: text },
  { name: 'address', description: 'Keeps what came from this address', schema: text },
  { name: 'start_at', description: 'Keeps what is not older', schema: seconds },
  { name: 'end_at', description: 'Keeps what is not newer', schema: seconds },
];

/** What the document says of the audit log. */
export const AUDIT_DESCRIPTION: ApiDescription = {
  schemas: {
    AuditEntry: Type.Object({
      id: Type.Integer({ minimum: 1 }),
      event_type: text,
      created_at: seconds,
      operator_id: text,
      operator_name: text,
      gateway_group_id: Type.Optional(text),
      resource_id: text,
      source: text,
      address: Type.Optional(text),
      user_agent: Type.Optional(text),
      reason: Type.Optional(Type.String({ description: 'What `X-Change-Reason` said' })),
      request_id: Type.Optional(text),
      detail: Type.Unsafe<JsonObject>({ type: 'object', description: 'No secret' }),
      hash: Type.Optional(Type.String({ description: 'SHA-256 over the hash of the entry before and its own content' })),
    }),
  },
  operations: {
    'GET /api/audit_logs': {
      ...{ id: 'listAuditLogs', tag, summary: 'List entries of the audit log, the latest first' },
      query: [
        ...FILTERS,
        { name: 'page_size', description: '20 when it is not given', schema: Type.Integer({ minimum: 1, maximum: 500 }) },
        { name: 'cursor', description: 'The `next` of the page before', schema: text },
      ],
      answers: {
        200: {
          description: 'A page; without `next` the last one',
          schema: Type.Object({ list: Type.Array(schemaRef('AuditEntry')), next: Type.Optional(text) }),
        },
      },
    },
    'GET /api/audit_logs/event_types': {
      ...{ id: 'listEventTypes', tag, summary: 'List the kinds of entries that there are' },
      answers: { 200: { description: 'Kinds', schema: Type.Object({ value: Type.Array(text) }) } },
    },
    'GET /api/audit_logs/export': {
      ...{ id: 'exportAuditLogs', tag, summary: 'Give all entries that match, as a stream' },
      query: [
        ...FILTERS,
        {
          name: 'format',
          description: '`json` is an array',
          schema: Type.Unsafe<string>({ type: 'string', enum: ['json', 'ndjson', 'csv'], default: 'json' }),
        },
      ],
      answers: {
        200: {
          description: 'The entries, in the form that was asked for',
          schema: Type.Array(schemaRef('AuditEntry')),
          textTypes: ['application/x-ndjson', 'text/csv'],
        },
      },
    },
  },
};
