import { type HelloMessage, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from './protocol.ts';

const RELEASE = /^(\d{1,9})\.(\d{1,9})\.\d/;
const MAX_SHOWN = 40;

/**
 * Why a gateway cannot be served, in a sentence that says what to upgrade; undefined when it can. Control planes are upgraded first, as with
 * API7: a gateway of a newer major or minor version is refused, an older one is served as long as a protocol is shared. A version that is no
 * release counts by its protocol alone.
 */
export function reasonVersionsDoNotFit(hello: HelloMessage, ownVersion: string): string | undefined {
  const gateway = `this gateway (${hello.softwareVersion.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_SHOWN)})`;
  if (hello.protocol < OLDEST_PROTOCOL_VERSION) return `${gateway} is too old for this control plane (${ownVersion}): upgrade the gateway`;
  if (hello.oldestProtocol > PROTOCOL_VERSION || isNewer(hello.softwareVersion, ownVersion)) {
    return `${gateway} is newer than this control plane (${ownVersion}): upgrade the control planes first`;
  }
  return undefined;
}

function isNewer(version: string, than: string): boolean {
  const [, major, minor] = RELEASE.exec(version) ?? [];
  const [, ownMajor, ownMinor] = RELEASE.exec(than) ?? [];
  if (major === undefined || ownMajor === undefined) return false;
  return Number(major) > Number(ownMajor) || (Number(major) === Number(ownMajor) && Number(minor) > Number(ownMinor));
}
