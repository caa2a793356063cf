import { type BenchOptions, USAGE } from './options.ts';
import { byteRelayPeer } from './peers/byte-relay-peer.ts';
import { engineFloorPeer } from './peers/engine-floor-peer.ts';
import { haproxyPeer } from './peers/haproxy-peer.ts';
import { nginxPeer } from './peers/nginx-peer.ts';
import type { Peer } from './peers/peer.ts';
import { portcullisPeer } from './peers/portcullis-peer.ts';
import { undiciPeer } from './peers/undici-peer.ts';
import { OWN_CHECKOUT } from './portcullis/own-checkout.ts';
import { profileRow } from './profile/profile-row.ts';
import { commitOf } from './report/machine.ts';
import { chooseRows, requireKnown } from './rows/choose-rows.ts';
import { runBench } from './run-bench.ts';
import { runCommand } from './run-command.ts';

/** Measured only when they are named. */
const ON_REQUEST = ['engine-floor', 'byte-relay'];

await runCommand(`npm run bench -- [options]\n\n${USAGE}`, async (options) => {
  const rows = chooseRows(options);
  const checkout = options.checkout ?? OWN_CHECKOUT;
  const peers = choosePeers(options, checkout);
  if (options.profile) await profileRow(rows[0], checkout, options);
  else await runBench({ options, rows, baseline: 'nginx', label: commitOf(checkout), choosePeers: () => peers });
});

function choosePeers({ peers: names }: BenchOptions, checkout: string): readonly Peer[] {
  const all = [nginxPeer, haproxyPeer, undiciPeer, portcullisPeer({ name: 'portcullis', checkout }), engineFloorPeer, byteRelayPeer];
  requireKnown('peer', names, all);
  return all.filter(({ name }) => names?.includes(name) ?? !ON_REQUEST.includes(name));
}
