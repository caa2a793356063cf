import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { AwsV4Signer } from 'aws4fetch';
import { request } from 'undici';
import { SNAPSHOT_HEADER_BYTES } from '../../distribution/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { policedAgent } from '../policed-agent.ts';
import { type ExportTarget, type FinishedSnapshot, groupPart, LATEST_NAME, revisionName } from './export-target.ts';
import { mayReplaceLatest } from './may-replace-latest.ts';

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
const SHA256_OF_NOTHING = createHash('sha256').digest('hex');

/** How often the latest is looked at anew because another control plane was quicker. */
const MAX_ATTEMPTS = 5;

/**
 * A bucket: `<prefix>/<group>/<revision>.snapshot` and `latest.snapshot`, by path-style addresses and signature version 4. A store shows an
 * object only when it is whole. The latest is only written over what was read before (RFC 9110 §13.1), so that it never goes back; a store that knows no
 * conditions, or does not let its objects be read, gets it without. Old revisions are the bucket's own business.
 */
export function s3Target(options: { readonly settings: S3Settings; readonly mayDial: DialPolicy; readonly clock: Clock }): ExportTarget {
  const bucket = new S3Bucket(options);
  return {
    description: bucket.description,
    async put(snapshot) {
      const { groupId, revision, file } = snapshot;
      const content = { file, size: (await stat(file)).size, sha256: await sha256Of(file) };
      requireSuccess(await bucket.upload(content, `${groupPart(groupId)}/${revisionName(revision)}`, {}));
      await putLatest(bucket, snapshot, content);
    },
  };
}

async function putLatest(bucket: S3Bucket, snapshot: FinishedSnapshot, content: Content): Promise<void> {
  const key = `${groupPart(snapshot.groupId)}/${LATEST_NAME}`;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const present = await bucket.readBeginning(key);
    if (present.kind === 'there' && !(await mayReplaceLatest(present.bytes, snapshot))) return;
    const answer = await bucket.upload(content, key, conditionOf(present));
    // 409: somebody else is writing at this moment. 412: somebody else has written.
    if (answer.status === 409 || answer.status === 412) continue;
    requireSuccess(answer.status === 501 ? await bucket.upload(content, key, {}) : answer);
    return;
  }
  throw new Error('other control planes write to the store all the time');
}

function conditionOf(present: Beginning): Readonly<Record<string, string>> {
  if (present.kind === 'absent') return { 'if-none-match': '*' };
  return present.kind === 'there' && present.etag !== undefined ? { 'if-match': present.etag } : {};
}

interface S3Answer {
  readonly status: number;
  readonly bytes: Buffer;
  readonly etag: string | undefined;
}

/** What is known of an object. */
type Beginning =
  | { readonly kind: 'there'; readonly bytes: Buffer; readonly etag: string | undefined }
  | { readonly kind: 'absent' | 'unreadable' };

/** Signed requests to one bucket. */
class S3Bucket {
  readonly #settings: S3Settings;
  readonly #clock: Clock;
  readonly #dispatcher: ReturnType<typeof policedAgent>;

  constructor(options: { readonly settings: S3Settings; readonly mayDial: DialPolicy; readonly clock: Clock }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#dispatcher = policedAgent(options.mayDial, { timeoutMs: SILENCE_MS, maxResponseBytes: MAX_ANSWER_BYTES });
  }

  get description(): string {
    return `s3://${[this.#settings.bucket, this.#settings.prefix].filter(Boolean).join('/')}`;
  }

  upload(content: Content, key: string, conditions: Readonly<Record<string, string>>): Promise<S3Answer> {
    return this.#ask('PUT', key, { ...conditions, 'content-type': 'application/octet-stream' }, content);
  }

  async readBeginning(key: string): Promise<Beginning> {
    const { status, bytes, etag } = await this.#ask('GET', key, { range: `bytes=0-${SNAPSHOT_HEADER_BYTES - 1}` });
    if (status === 404) return { kind: 'absent' };
    // 403: the keys may only write. 416: it is empty.
    return status === 200 || status === 206 ? { kind: 'there', bytes, etag } : { kind: 'unreadable' };
  }

  async #ask(method: 'GET' | 'PUT', key: string, own: Readonly<Record<string, string>>, content?: Content): Promise<S3Answer> {
    const { bucket, prefix, endpoint, accessKeyId, secretAccessKey, region } = this.#settings;
    const headers = { ...own, 'x-amz-content-sha256': content?.sha256 ?? SHA256_OF_NOTHING };
    const url = `${endpoint}/${[bucket, prefix, key].filter(Boolean).join('/')}`;
    const datetime = new Date(this.#clock.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, '');
    const signer = new AwsV4Signer({ method, url, headers, accessKeyId, secretAccessKey, region, service: 's3', datetime });
    const signed = await signer.sign();
    const answer = await request(signed.url, {
      method,
      headers: { ...Object.fromEntries(signed.headers), ...(content === undefined ? {} : { 'content-length': String(content.size) }) },
      ...(content === undefined ? {} : { body: createReadStream(content.file) }),
      dispatcher: this.#dispatcher,
    });
    const { etag } = answer.headers;
    return {
      status: answer.statusCode,
      bytes: Buffer.from(await answer.body.arrayBuffer()),
      etag: typeof etag === 'string' ? etag : undefined,
    };
  }
}

/** @throws Error with the store's reason */
function requireSuccess({ status, bytes }: S3Answer): void {
  if (status >= 200 && status <= 299) return;
  const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(bytes.toString())?.[1];
  throw new Error(`the store answered ${status}${code === undefined ? '' : ` ${code}`}`);
}

/** What the store is told of a file before it gets it. */
interface Content {
  readonly file: string;
  readonly size: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
