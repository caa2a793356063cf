import type { AppliedRevision, Refusal } from '../../distribution/index.ts';
import type { ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { waitMsOf } from './wait-preference.ts';

/** Refusals that an answer names, and how much of each reason. */
const MAX_REFUSALS = 5;
const MAX_REASON = 300;

/**
 * Tells the gateways of a committed change and waits until they have it in force, as long as the client is willing to. Gives the
 * headers that say what was seen: `Portcullis-Revision`, and `Portcullis-Applied: 2/3; lagging=<instance>` with the connected
 * instances that do not have it in force yet; `; refused="<instance>: <why>"` for each that cannot put it in force and keeps what was before.
 *
 * Never throws: the change is committed, whatever becomes of its announcement.
 */
export async function announceChange(
  context: ApiContext,
  request: ApiRequest,
  groupId: string,
  revision: number,
): Promise<Readonly<Record<string, string>>> {
  const headers = { 'portcullis-revision': String(revision) };
  try {
    context.publisher.groupChanged(groupId, revision);
    const {
      applied,
      expected,
      lagging,
      refusedElsewhere = [],
    } = await waitApplied(context, groupId, revision, waitMsOf(request.header('prefer')));
    const suffix = lagging.length === 0 ? '' : `; lagging=${lagging.map(headerToken).join(',')}`;
    return {
      ...headers,
      'portcullis-applied': `${applied}/${expected}${suffix}${describeRefusals([...refusalsHere(context, groupId, revision), ...refusedElsewhere])}`,
    };
  } catch (error) {
    context.log.error('a committed change could not be announced', { groupId, revision }, error);
    return headers;
  }
}

/** As the publisher's, but ended at once when the control plane is about to stop. */
async function waitApplied(
  { publisher, stopping }: ApiContext,
  groupId: string,
  revision: number,
  waitMs: number,
): Promise<AppliedRevision> {
  if (stopping.aborted) return publisher.waitApplied(groupId, revision, 0);
  const { promise, resolve } = Promise.withResolvers<AppliedRevision>();
  const onStopping = (): void => resolve(publisher.waitApplied(groupId, revision, 0));
  stopping.addEventListener('abort', onStopping, { once: true });
  try {
    return await Promise.race([publisher.waitApplied(groupId, revision, waitMs), promise]);
  } finally {
    stopping.removeEventListener('abort', onStopping);
  }
}

function refusalsHere({ publisher }: ApiContext, groupId: string, revision: number): readonly Refusal[] {
  return publisher
    .instances(groupId)
    .flatMap(({ instanceId, refused }) => (refused !== undefined && refused.revision >= revision ? [{ instanceId, refused }] : []));
}

function describeRefusals(refusals: readonly Refusal[]): string {
  return refusals
    .slice(0, MAX_REFUSALS)
    .map(({ instanceId, refused }) => `; refused="${headerToken(instanceId)}: ${headerText(refused.reason)}"`)
    .join('');
}

/** A text as it may stand between quotes in a header. */
function headerText(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/["\\]/g, "'")
    .slice(0, MAX_REASON);
}

/** An instance's name as it may stand in a header. */
function headerToken(instanceId: string): string {
  return instanceId.replace(/[^A-Za-z0-9._-]/g, '_');
}
