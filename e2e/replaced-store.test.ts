import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startHostileDatabaseWire } from '../test-support/hostile-wire.ts';
import { ownSchema } from '../test-support/own-schema.ts';
import { runPortcullis } from '../test-support/run-portcullis.ts';
import { until, untilGone } from '../test-support/running-instance.ts';
import { startControlPlane } from '../test-support/separate-planes.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { withPostgres } from '../test-support/with-postgres.ts';

withPostgres(
  'a control plane that was cut off during a restore ends when it finds the other store, and serves that anew',
  async (t, url) => {
    const wire = await startHostileDatabaseWire(t, url);
    const direct = ownSchema(t, url);
    const environment = { ...direct, DATABASE_URL: wire.through(url) };
    const { dataFolder, instance } = await startControlPlane(t, { token: 'a-token-of-the-installation', environment });
    const put = (username: string) => instance.admin('PUT', `/apisix/admin/consumers/${username}`, { username });
    assert.equal((await put('kept')).status, 200);
    const elsewhere = await temporaryFolder(t);
    const file = path.join(elsewhere, 'backup.gz');
    const place = ['--data-dir', elsewhere, '--keyring-file', path.join(dataFolder, 'keyring.json')];
    await runPortcullis(['backup', ...place, '--to', file], direct);
    assert.equal((await put('since')).status, 200);

    wire.use('cut');
    const cutOff = instance.child('control-plane');
    // Waits for the lease of the one that is away.
    await runPortcullis(['restore', ...place, '--from', file, '--replace'], direct);
    assert.equal(instance.child('control-plane'), cutOff);
    wire.use('open');
    // Whatever it is asked from now on, and whenever: only a process that has opened the other store says yes.
    const statuses: number[] = [];
    await until(async () => {
      const answer = await put('afterwards').catch(() => undefined);
      if (answer !== undefined) statuses.push(answer.status);
      return answer?.status === 200;
    }, 'a new process takes writes');
    await untilGone(cutOff);
    assert.deepEqual(
      statuses.filter((status) => status !== 503),
      [200],
    );
    const listed = await instance.admin('GET', '/apisix/admin/consumers');
    const names = JSON.stringify(listed.body);
    assert.deepEqual(
      ['kept', 'since', 'afterwards'].map((name) => names.includes(`"${name}"`)),
      [true, false, true],
    );
    const log = await readFile(path.join(dataFolder, 'logs', 'portcullis.log'), 'utf8');
    const [last] = log.split('\n').filter((line) => line.includes('"the control plane ends"'));
    assert.match(String(last), /the store was replaced, as by a restore, while this control plane could not reach it: nothing was written/);
    assert.equal(await instance.stop(), 0);
  },
);
