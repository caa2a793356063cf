import { networkList } from '../lib/network-list.ts';
import type { Issue } from '../schema/index.ts';

/** One issue for each text that is neither an IP address nor a network (`10.0.0.0/8`), in APISIX's words; `pointer` is the list's. */
export function checkNetworks(texts: readonly string[], pointer: string): readonly Issue[] {
  return texts.flatMap((text, index) =>
    isNetwork(text) ? [] : [{ pointer: `${pointer}/${index}`, message: `invalid ip address: ${text.slice(0, 128)}` }],
  );
}

function isNetwork(text: string): boolean {
  try {
    return networkList([text]) !== undefined;
  } catch {
    return false;
  }
}
