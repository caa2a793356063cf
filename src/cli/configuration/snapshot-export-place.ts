import { StartError } from '../../errors/index.ts';

/** Where snapshots are exported to. The keys of a store are secrets and stand elsewhere. */
export type SnapshotExportPlace =
  | { readonly kind: 'folder'; readonly folder: string; readonly keep: number }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string; readonly endpoint: string; readonly region: string };

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const REGION = /^[a-z0-9-]{1,40}$/;

/** Undefined where nothing is exported. @throws StartError for a bucket, prefix, endpoint or region that is none */
export function readSnapshotExportPlace(given: {
  readonly to: string | undefined;
  readonly keep: number;
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly absolute: (path: string) => string;
}): SnapshotExportPlace | undefined {
  const { to, keep, endpoint, region, absolute } = given;
  if (to === undefined) return undefined;
  if (!to.startsWith('s3://')) {
    if (/^[a-z0-9+.-]+:\/\//i.test(to)) throw new StartError('--snapshot-export-to must be a folder or s3://bucket/prefix.');
    return { kind: 'folder', folder: absolute(to), keep };
  }
  const [bucket = '', ...rest] = to.slice('s3://'.length).split('/');
  const prefix = rest.join('/').replace(/\/$/, '');
  if (!BUCKET.test(bucket) || !(prefix === '' || PREFIX.test(prefix)) || prefix.split('/').some((part) => /^\.+$/.test(part))) {
    throw new StartError(`--snapshot-export-to must be s3://bucket or s3://bucket/prefix, not "${to}".`);
  }
  if (!REGION.test(region)) throw new StartError(`--snapshot-export-region must be the name of a region, not "${region}".`);
  return { kind: 's3', bucket, prefix, region, endpoint: readEndpoint(endpoint ?? `https://s3.${region}.amazonaws.com`) };
}

function readEndpoint(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new StartError('--snapshot-export-endpoint must be a URL that begins with https:// or http://, without user and password.');
  }
  return url.href.replace(/\/+$/, '');
}
