import assert from 'node:assert/strict';
import test from 'node:test';
import { AdcClient, type AdcTarget } from '../src/control-plane/testing/adc-client.ts';
import { ADC_RESOURCE_COUNT, adcConfiguration } from '../src/control-plane/testing/adc-configuration.ts';
import { type RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

/** The Admin API of an instance, over its real port. */
function targetOf(instance: RunningInstance): AdcTarget {
  return {
    send: async (method, target, { headers = {}, body } = {}) => {
      // An instance names the group by itself.
      const withoutGroup = target.replace(/gateway_group_id=default&?/, '').replace(/\?$/, '');
      const { body: answered, ...rest } = await instance.admin(method, withoutGroup, body, headers);
      return { ...rest, body: Object(answered), text: JSON.stringify(answered) ?? '' };
    },
  };
}

test('a client that speaks as ADC does comes to rest, before and after a restart, and the gateway has all of it', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const configuration = await adcConfiguration();
  const before = await runningInstance(t, { dataFolder });
  const client = new AdcClient(targetOf(before), { groupId: 'default' });
  assert.equal((await client.sync(configuration)).length, ADC_RESOURCE_COUNT);
  assert.deepEqual(await client.sync(configuration), []);
  const dumped = await client.dump();
  const [group] = Object((await before.admin('GET', '/api/gateway_groups?name=default')).body).list;
  assert.equal(group.name, 'default');
  const touch = await before.admin('PUT', '/apisix/admin/consumers/after', { username: 'after' });
  assert.equal(touch.headers['portcullis-applied'], '1/1');
  assert.equal((await before.admin('DELETE', '/apisix/admin/consumers/after')).status, 200);
  await before.killEverything();

  const after = await runningInstance(t, { dataFolder }, before.token);
  const again = new AdcClient(targetOf(after), { groupId: 'default' });
  assert.deepEqual(await again.dump(), dumped);
  assert.deepEqual(await again.sync(configuration), []);
  assert.equal((await again.sync({})).length > 0, true);
  assert.equal((await again.dump()).size, 0);
});
