import { StartError } from '../../errors/index.ts';
import type { AgeLimit, SnapshotPlace } from '../../gateway/index.ts';
import type { Setting } from './setting.ts';

/** Settings for the time without a control plane; `docs/outages.md` explains them. */
export const OUTAGE_SETTINGS = [
  {
    name: 'snapshot',
    type: 'text',
    defaultText: undefined,
    meaning: 'Exported snapshot that a gateway starts from: a file, or an `https` URL (`http` on this machine only)',
    verbs: ['gateway'],
  },
  {
    name: 'snapshot-interval',
    type: 'seconds',
    defaultText: '60',
    least: 1,
    most: 86_400,
    meaning: 'How often a gateway without a control plane looks for a newer snapshot',
    verbs: ['gateway'],
  },
  {
    name: 'snapshot-max-mebibytes',
    type: 'number',
    defaultText: '4096',
    least: 1,
    most: 4096,
    meaning: 'Larger snapshots at a URL are not fetched',
    verbs: ['gateway'],
  },
  {
    name: 'max-configuration-age',
    type: 'seconds',
    defaultText: '0',
    least: 0,
    most: 315_360_000,
    meaning: 'How long ago the configuration in force may have been the newest for certain; 0 for no such limit',
    verbs: ['start', 'gateway'],
  },
  {
    name: 'when-too-old',
    type: 'text',
    defaultText: 'serve',
    meaning: 'What a gateway does with an older one: `serve` it, or `refuse` requests with 503',
    verbs: ['start', 'gateway'],
  },
  {
    name: 'snapshot-export-to',
    type: 'text',
    defaultText: undefined,
    meaning: 'Where snapshots of all gateway groups are exported to: a folder, or `s3://bucket/prefix`',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'snapshot-export-interval',
    type: 'seconds',
    defaultText: '300',
    least: 1,
    most: 86_400,
    meaning: 'How often the groups that have changed are exported',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'snapshot-export-refresh',
    type: 'seconds',
    defaultText: '86400',
    least: 60,
    most: 31_536_000,
    meaning: 'After which time a group that has not changed is exported again',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'snapshot-export-keep',
    type: 'number',
    defaultText: '10',
    least: 1,
    most: 100_000,
    meaning: 'Revisions of a group that stay in the folder',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'snapshot-export-endpoint',
    type: 'text',
    defaultText: 'that of AWS in the region',
    meaning: 'URL of the S3-compatible store',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'snapshot-export-region',
    type: 'text',
    defaultText: 'us-east-1',
    meaning: 'Its region',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'compare-interval',
    type: 'seconds',
    defaultText: '60',
    least: 0,
    most: 86_400,
    meaning: 'How often each gateway compares what it holds with what the control plane has; 0 for never',
    verbs: ['start', 'control-plane'],
  },
  {
    name: 'believe-clock',
    type: 'flag',
    defaultText: 'false',
    meaning: 'Let things expire by this machine’s clock although a later time was seen: for one start, after a clock was ahead',
    verbs: ['start', 'control-plane'],
  },
] as const satisfies readonly Setting[];

/** @throws StartError for another word than `serve` and `refuse` */
export function readAgeLimit(seconds: number, word = 'serve'): AgeLimit {
  if (word !== 'serve' && word !== 'refuse') throw new StartError(`--when-too-old must be serve or refuse, not "${word}".`);
  return { maxAgeMs: seconds * 1000, whenTooOld: word };
}

const IN_CLEAR_HOSTS = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|localhost)$/;

/**
 * A file, by its absolute path, or a URL.
 * @throws StartError for a URL in clear to another machine, and for one with a user or password, which everybody sees in the list of processes
 */
export function readSnapshotPlace(text: string | undefined, absolute: (path: string) => string): SnapshotPlace | undefined {
  if (text === undefined) return undefined;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'file', path: absolute(text) };
  const url = URL.parse(text);
  const isHttps = url?.protocol === 'https:';
  if (url === null || !(isHttps || (url.protocol === 'http:' && IN_CLEAR_HOSTS.test(url.hostname)))) {
    throw new StartError('--snapshot must be a file or a URL that begins with https:// (http:// on this machine only).');
  }
  if (url.username !== '' || url.password !== '') throw new StartError('--snapshot must be a URL without user and password.');
  return { kind: 'url', url: url.href };
}
