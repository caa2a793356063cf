import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { Turns } from '../../lib/turns.ts';
import { gatewayGroupName } from '../access/index.ts';
import { ownGroupOf } from '../auth/index.ts';
import { type ApiAnswer, type ApiRequest, type ApiRoute, isTrial } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { applyBulk, type BulkOutcome, BulkRefused } from './apply-bulk.ts';
import { authorOf } from './author-of.ts';
import { BulkFaults } from './bulk-faults.ts';
import { BULK_LIMITS } from './bulk-limits.ts';
import { BulkPlan } from './bulk-plan.ts';
import { transactOrTry } from './dry-run.ts';
import { readBulk } from './read-bulk.ts';

/** `POST /api/gateway_groups/{id}/bulk`: many changes of a group as one revision, or none of them. */
export function bulkRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/gateway_groups/:id/bulk',
      // To come in; each operation needs its own permission besides.
      permission: 'gateway:GetGatewayGroup',
      resource: { kind: 'some', of: ({ parameters }) => gatewayGroupName(parameters.get('id') ?? '') },
      groupScoped: true,
      maxBodyBytes: BULK_LIMITS.bodyBytes,
      canBeTried: true,
      handle: (request) => writeBulk(context, request),
    },
  ];
}

async function writeBulk(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = await requireGroup(context, request);
  const isDryRun = isTrial(request.query);
  const author = authorOf(request);
  const faults = new BulkFaults();
  const turns = new Turns(context.clock, BULK_LIMITS.sliceMs);
  const operations = await readBulk(request.bytes(), groupId, faults, turns);
  const plan = await BulkPlan.make(context, groupId, operations, faults, turns);
  const application = { context, request, author, groupId, plan, faults, turns };
  let outcome: BulkOutcome;
  try {
    outcome = await transactOrTry(context.store, author, isDryRun, (transaction) => applyBulk(application, transaction));
  } catch (error) {
    if (error instanceof BulkRefused) return faults.answer();
    throw error;
  }
  const isChanged = outcome.revision !== outcome.previous;
  const headers = isChanged && !isDryRun ? await announceChange(context, request, groupId, outcome.revision) : {};
  return { headers, body: present(outcome, isDryRun) };
}

function present({ previous, revision, created, updated, deleted, warnings }: BulkOutcome, isDryRun: boolean): JsonObject {
  return {
    value: { revision: isDryRun ? previous : revision, created, updated, deleted, ...(isDryRun ? { dry_run: true } : {}) },
    ...(warnings.length > 0 ? { warning_msg: warnings.join('; ') } : {}),
  };
}

/** @throws PortcullisError 403 for the admin key of another group, 404 */
async function requireGroup({ store }: ApiContext, { caller, parameters }: ApiRequest): Promise<string> {
  const id = parameters.get('id') ?? '';
  const ownGroup = ownGroupOf(caller);
  if (ownGroup !== undefined && ownGroup !== id) {
    throw new PortcullisError('admin_forbidden', { publicMessage: 'the admin key is that of another gateway group' });
  }
  if ((await store.getGroup(id)) === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  return id;
}
