import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { AwsV4Signer } from 'aws4fetch';
import { request } from 'undici';
import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { policedAgent } from '../policed-agent.ts';
import { type ExportTarget, groupPart, LATEST_NAME, revisionName } from './export-target.ts';

/** A bucket of an S3-compatible store. */
export interface S3Settings {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** e.g. `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Without a byte for this long an upload is given up. */
const SILENCE_MS = 30_000;
/** An answer is read this far, for its error code. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * A bucket: `<prefix>/<group>/<revision>.snapshot` and `latest.snapshot`, by path-style addresses and signature version 4. A store shows an
 * object only when it is whole. Old revisions are the bucket's own business.
 */
export function s3Target(options: { readonly settings: S3Settings; readonly mayDial: DialPolicy; readonly clock: Clock }): ExportTarget {
  const { settings, mayDial, clock } = options;
  const dispatcher = policedAgent(mayDial, { timeoutMs: SILENCE_MS, maxResponseBytes: MAX_ANSWER_BYTES });
  const upload = async (file: string, { size, sha256 }: Content, key: string): Promise<void> => {
    const headers = { 'x-amz-content-sha256': sha256, 'content-type': 'application/octet-stream' };
    const url = `${settings.endpoint}/${[settings.bucket, settings.prefix, key].filter(Boolean).join('/')}`;
    const { accessKeyId, secretAccessKey, region } = settings;
    const datetime = new Date(clock.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, '');
    const signer = new AwsV4Signer({ method: 'PUT', url, headers, accessKeyId, secretAccessKey, region, service: 's3', datetime });
    const signed = await signer.sign();
    const answer = await request(signed.url, {
      method: 'PUT',
      headers: { ...Object.fromEntries(signed.headers), 'content-length': String(size) },
      body: createReadStream(file),
      dispatcher,
    });
    const text = await answer.body.text();
    if (answer.statusCode < 200 || answer.statusCode > 299) {
      const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1];
      throw new Error(`the store answered ${answer.statusCode}${code === undefined ? '' : ` ${code}`}`);
    }
  };
  return {
    description: `s3://${[settings.bucket, settings.prefix].filter(Boolean).join('/')}`,
    async put({ groupId, revision, file }) {
      const content = { size: (await stat(file)).size, sha256: await sha256Of(file) };
      for (const name of [revisionName(revision), LATEST_NAME]) await upload(file, content, `${groupPart(groupId)}/${name}`);
    },
  };
}

/** What the store is told of a file before it gets it. */
interface Content {
  readonly size: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
