import { ProtocolError } from './frame-codec.ts';
import { readHealthReport } from './health-report.ts';
import type { ControlPlaneMessage, GatewayMessage, HeartbeatMessage, HelloMessage, WelcomeMessage } from './protocol.ts';
import { own, parseObject, readCount, readFlag, readHistory, readString, type UnknownFields } from './read-fields.ts';
import { readStateHash } from './state-hash/state-hash.ts';
import { readUsageKept, readUsageReport } from './usage-report.ts';

/**
 * What a gateway said; undefined for a kind of message that this version does not know. Unknown fields are left out.
 * @throws ProtocolError when the text is no message, or a known field has the wrong type
 */
export function parseGatewayMessage(text: string): GatewayMessage | undefined {
  const fields = parseObject(text);
  const kind = readString(fields, 'kind');
  switch (kind) {
    case 'hello':
      return {
        kind,
        protocol: readCount(fields, 'protocol'),
        oldestProtocol: readCount(fields, 'oldestProtocol'),
        softwareVersion: asFact(readString(fields, 'softwareVersion')),
        revision: readCount(fields, 'revision'),
        ...(own(fields, 'followedRevision') === undefined ? {} : { followedRevision: readCount(fields, 'followedRevision') }),
        ...readHistory(fields),
        ...readHeartbeatMs(fields),
        ...readFacts(fields),
      };
    case 'applied':
      return { kind, revision: readCount(fields, 'revision'), outcome: readOutcome(fields), ...readReason(fields) };
    case 'snapshot-request':
      return { kind };
    case 'state-checked':
      return { kind, revision: readCount(fields, 'revision'), outcome: readComparison(fields), ...readReason(fields) };
    case 'health':
      return { kind, ...readHealthReport(fields) };
    case 'usage':
      return { kind, ...readUsageReport(fields) };
    case 'heartbeat':
      return readHeartbeat(fields);
    default:
      return undefined;
  }
}

/**
 * What a control plane said; undefined for a kind of message that this version does not know. Unknown fields are left out.
 * @throws ProtocolError when the text is no message, or a known field has the wrong type
 */
export function parseControlPlaneMessage(text: string): ControlPlaneMessage | undefined {
  const fields = parseObject(text);
  const kind = readString(fields, 'kind');
  switch (kind) {
    case 'welcome':
      return {
        kind,
        protocol: readCount(fields, 'protocol'),
        softwareVersion: readString(fields, 'softwareVersion'),
        groupId: readString(fields, 'groupId'),
        instanceId: readString(fields, 'instanceId'),
        revision: readCount(fields, 'revision'),
        ...readPromises(fields),
        keySalt: readString(fields, 'keySalt'),
        signingKey: readString(fields, 'signingKey'),
        ...readHeartbeatMs(fields),
      };
    case 'reject':
      return { kind, reason: readString(fields, 'reason') };
    case 'authorities':
      return { kind, authority: readString(fields, 'authority') };
    case 'snapshot-start':
      return { kind, revision: readCount(fields, 'revision'), ...readHistory(fields) };
    case 'snapshot-part':
      return { kind, payload: readString(fields, 'payload') };
    case 'snapshot-end':
      return {
        kind,
        revision: readCount(fields, 'revision'),
        itemCount: readCount(fields, 'itemCount'),
        signature: readString(fields, 'signature'),
      };
    case 'delta':
      return {
        kind,
        fromRevision: readCount(fields, 'fromRevision'),
        toRevision: readCount(fields, 'toRevision'),
        ...readHistory(fields),
        payload: readString(fields, 'payload'),
        signature: readString(fields, 'signature'),
      };
    case 'state-hash':
      return { kind, revision: readCount(fields, 'revision'), kinds: readStateHash(fields) };
    case 'usage-kept':
      return { kind, ...readUsageKept(fields) };
    case 'heartbeat':
      return readHeartbeat(fields);
    default:
      return undefined;
  }
}

function readHeartbeat(fields: UnknownFields): HeartbeatMessage {
  return { kind: 'heartbeat', nowMs: readCount(fields, 'nowMs'), ...(readFlag(fields, 'storeAway') ? { storeAway: true } : {}) };
}

function readHeartbeatMs(fields: UnknownFields): { readonly heartbeatMs?: number } {
  return own(fields, 'heartbeatMs') === undefined ? {} : { heartbeatMs: readCount(fields, 'heartbeatMs') };
}

/** Longest text that an instance says of itself. */
const MAX_FACT = 255;

function asFact(text: string): string {
  return text.slice(0, MAX_FACT).toWellFormed();
}

function readFacts(fields: UnknownFields): Pick<HelloMessage, 'hostname' | 'address' | 'cores' | 'workers'> {
  const text = (name: 'hostname' | 'address') => (own(fields, name) === undefined ? {} : { [name]: asFact(readString(fields, name)) });
  const count = (name: 'cores' | 'workers') => (own(fields, name) === undefined ? {} : { [name]: readCount(fields, name) });
  return { ...text('hostname'), ...text('address'), ...count('cores'), ...count('workers') };
}

function readPromises(fields: UnknownFields): Pick<WelcomeMessage, 'historyAccepted' | 'acknowledgesUsage'> {
  const flag = (name: 'historyAccepted' | 'acknowledgesUsage') => {
    const value = readFlag(fields, name);
    return value === undefined ? {} : { [name]: value };
  };
  return { ...flag('historyAccepted'), ...flag('acknowledgesUsage') };
}

function readOutcome(fields: UnknownFields): 'applied' | 'refused' {
  const outcome = readString(fields, 'outcome');
  if (outcome !== 'applied' && outcome !== 'refused') throw new ProtocolError('the field outcome is neither applied nor refused');
  return outcome;
}

function readComparison(fields: UnknownFields): 'same' | 'different' {
  const outcome = readString(fields, 'outcome');
  if (outcome !== 'same' && outcome !== 'different') throw new ProtocolError('the field outcome is neither same nor different');
  return outcome;
}

function readReason(fields: UnknownFields): { readonly reason?: string } {
  return own(fields, 'reason') === undefined ? {} : { reason: readString(fields, 'reason') };
}
