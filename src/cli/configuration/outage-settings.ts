import { StartError } from '../../errors/index.ts';
import type { SnapshotPlace } from '../../gateway/index.ts';
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
] as const satisfies readonly Setting[];

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
