import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { validatePlugins } from '../plugin-kit/index.ts';
import { PLUGINS } from './index.ts';
import { PLUGIN_SCHEMAS } from './schemas.ts';

const docs = path.join(import.meta.dirname, '..', '..', 'docs');
const page = await readFile(path.join(docs, 'plugins.md'), 'utf8');
const rows = [...page.matchAll(/^\| \[([a-z-]+)\]\(([^)]+)\) \| (\d+) \| ([A-Za-z, ]+) \| .+ \|$/gm)].map((match) => ({
  name: match[1] ?? '',
  link: match[2] ?? '',
  priority: Number(match[3]),
  phases: match[4] ?? '',
}));

test('the page of all plugins has a row for each, with its priority and its phases', () => {
  for (const { name, priority, phases } of PLUGINS) {
    const row = rows.find((each) => each.name === name) ?? assert.fail(`${name} has no row`);
    assert.equal(row.priority, priority, name);
    assert.deepEqual(row.phases.split(', ').sort(), Object.keys(phases).sort(), name);
  }
});

test('the rows stand in the order in which the plugins run, each once, and lead to pages that exist', async () => {
  assert.deepEqual(
    rows,
    [...rows].sort((a, b) => b.priority - a.priority),
  );
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
  for (const { name, link } of rows) {
    assert.equal(link, `../src/plugins/${name}/README.md`);
    await access(path.join(docs, link));
  }
});

test('the examples of the page are valid', () => {
  const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  assert.equal(examples.length, 2);
  const known = new Set(PLUGIN_SCHEMAS.map(({ name }) => name));
  for (const { plugins } of examples) {
    assert.ok(Object.keys(plugins).every((name) => known.has(name)));
    assert.deepEqual(validatePlugins(plugins, 'route', PLUGIN_SCHEMAS), []);
  }
});
