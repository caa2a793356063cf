import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { ResourceChange, StoredResource } from '../store/store.ts';
import { toSnapshotChange, toSnapshotItem } from './build-snapshot.ts';
import { SnapshotPlugins } from './snapshot-plugins.ts';
import { TEST_PLUGINS } from './test-support/test-plugins.ts';

const FOLDER = path.join(import.meta.dirname, 'testdata');
const PLUGINS = new SnapshotPlugins(TEST_PLUGINS, Buffer.alloc(32, 7));
/** `UPDATE_GOLDEN=1 node --test …` writes the expected files anew. */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

type Written<Resource> = Resource extends StoredResource
  ? Omit<StoredResource, 'unique'> & { readonly unique: readonly { readonly space: string; readonly digestHex: string }[] }
  : never;

interface Input {
  readonly resources: readonly Written<StoredResource>[];
  readonly changes: readonly (
    | { readonly op: 'put'; readonly resource: Written<StoredResource> }
    | Extract<ResourceChange, { readonly op: 'delete' }>
  )[];
}

function toResource(written: Written<StoredResource>): StoredResource {
  return { ...written, unique: written.unique.map(({ space, digestHex }) => ({ space, digest: Buffer.from(digestHex, 'hex') })) };
}

describe('what gateways receive of stored resources', () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.in.json'))) {
    test(`${name.slice(0, -'.in.json'.length)} gives its golden file`, () => {
      const input: Input = JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8'));
      const output = {
        items: input.resources.map((resource) => toSnapshotItem(toResource(resource), PLUGINS)).filter((item) => item !== undefined),
        changes: input.changes
          .map((change) => toSnapshotChange(change.op === 'put' ? { op: 'put', resource: toResource(change.resource) } : change, PLUGINS))
          .filter((change) => change !== undefined),
      };
      const golden = path.join(FOLDER, name.replace('.in.json', '.out.json'));
      if (UPDATE) writeFileSync(golden, `${JSON.stringify(output, null, 2)}\n`);
      assert.deepEqual(output, JSON.parse(readFileSync(golden, 'utf8')));
    });
  }
});
