import assert from 'node:assert/strict';
import test from 'node:test';
import { SlotSockets } from './slot-sockets.ts';

const own = { addresses: [{ host: '127.0.0.1', port: 0 }], encryptedAddresses: [{ host: '127.0.0.1', port: 0 }], reusePort: true };
const NO_PORTS = { plain: [], encrypted: [] };

test('each generation takes copies of every socket that none before it has used', () => {
  const sockets = new SlotSockets(
    {
      httpDescriptors: [
        [
          [3, 4],
          [5, 6],
        ],
        [
          [7, 8],
          [9, 10],
        ],
      ],
      httpsDescriptors: [[[11], [12]]],
    },
    own,
  );
  assert.deepEqual(
    sockets.take(NO_PORTS)?.map((socket) => socket.fds),
    [[3, 4], [7, 8], [11]],
  );
  assert.equal(sockets.usedUp, false);
  assert.deepEqual(
    sockets.take(NO_PORTS)?.map((socket) => socket.fds),
    [[5, 6], [9, 10], [12]],
  );
  assert.equal(sockets.usedUp, true);
  assert.equal(sockets.take(NO_PORTS), undefined);
});

test('without handed-down sockets every generation listens on the port that the first one got', () => {
  const sockets = new SlotSockets({ httpDescriptors: [], httpsDescriptors: [] }, own);
  assert.deepEqual(sockets.take(NO_PORTS), [
    { fds: [], host: '127.0.0.1', port: 0, reusePort: true, encrypted: false },
    { fds: [], host: '127.0.0.1', port: 0, reusePort: true, encrypted: true },
  ]);
  assert.deepEqual(sockets.take({ plain: [4711], encrypted: [4712] }), [
    { fds: [], host: '127.0.0.1', port: 4711, reusePort: true, encrypted: false },
    { fds: [], host: '127.0.0.1', port: 4712, reusePort: true, encrypted: true },
  ]);
  assert.equal(sockets.usedUp, false);
});
