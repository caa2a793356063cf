import { isIP } from 'node:net';
import { StartError } from '../../errors/index.ts';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import { networkList } from '../../lib/network-list.ts';
import { MOST_CONTROL_PLANES, parseControlPlanes } from './control-plane-addresses.ts';
import type { Setting } from './setting.ts';

/** A setting's value after reading. */
export type SettingValue = string | number | boolean | readonly string[];

const LEVELS = ['debug', 'info', 'warn', 'error'];
const MOST_SECONDS = 999_999.999;
const TRUE_WORDS = ['true', '1', 'yes', 'on'];
const FALSE_WORDS = ['false', '0', 'no', 'off'];

/**
 * Reads one value as the setting's type wants it. `origin` says where it stands, for the message.
 *
 * @throws StartError that names the origin and what would be right.
 */
export function parseValue(setting: Setting, text: string, origin: string): SettingValue {
  const refuse = (wanted: string): never => {
    throw new StartError(`${origin} must be ${wanted}, not "${text}".`);
  };
  switch (setting.type) {
    case 'port':
      return wholeNumber(text, 0, 65_535) ?? refuse('a port from 0 (any free one) to 65535');
    case 'count':
      return wholeNumber(text, 1, 256) ?? refuse('a whole number from 1 to 256');
    case 'number': {
      const { least = 0, most = 999_999_999 } = setting;
      return wholeNumber(text, least, most) ?? refuse(`a whole number from ${least} to ${most}`);
    }
    case 'seconds':
      return seconds(text, setting) ?? refuse(`a number of seconds${rangeOf(setting, text)}`);
    case 'flag':
      if (TRUE_WORDS.includes(text)) return true;
      return FALSE_WORDS.includes(text) ? false : refuse('true or false');
    case 'level':
      return LEVELS.includes(text) ? text : refuse(`one of ${LEVELS.join(', ')}`);
    case 'hosts':
      return hosts(text) ?? refuse('a list of IP addresses separated by commas');
    case 'listeners':
      return listeners(text) ?? refuse('a list of ports and of address:port separated by commas');
    case 'networks':
      return networks(text) ?? refuse('a list of IP addresses and networks separated by commas');
    case 'names':
      return names(text) ?? refuse('a list of environment variables separated by commas');
    case 'control-planes':
      return addresses(text) ?? refuse(`host:port or https://host:port, at most ${MOST_CONTROL_PLANES} of them separated by commas`);
    case 'path':
    case 'text':
      return text === '' ? refuse('given') : text;
  }
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}

function seconds(text: string, { least = 0, most = MOST_SECONDS }: Setting): number | undefined {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}

function rangeOf({ least, most }: Setting, text: string): string {
  if (most === undefined && Number(text) > MOST_SECONDS) return ` of at most ${MOST_SECONDS}`;
  if (most !== undefined) return ` from ${least ?? 0} to ${most}`;
  return least === undefined ? '' : ` of at least ${least}`;
}

function networks(text: string): readonly string[] | undefined {
  const list = text.split(',').map((network) => network.trim());
  try {
    networkList(list);
    return list.every(isOneFamily) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** A network around the IPv4-mapped addresses would be one of both families. */
function isOneFamily(network: string): boolean {
  const [address = '', prefix] = network.split('/');
  const isMapped = isIP(address) === 6 && isIP(canonicalAddress(address) ?? '') === 4;
  return !isMapped || prefix === undefined || Number(prefix) >= 96;
}

function names(text: string): readonly string[] | undefined {
  const list = text.split(',').map((name) => name.trim());
  return list.every((name) => /^[^\s=/]+$/.test(name)) ? list : undefined;
}

/** Each a port on all addresses, or `address:port`, an IPv6 address in brackets. */
function listeners(text: string): readonly string[] | undefined {
  const list = text.split(',').map((listener) => listener.trim());
  return list.every((listener) => parseListener(listener) !== undefined) ? list : undefined;
}

/** Reads one entry of such a list; without a host for all addresses. Undefined for what is none. */
export function parseListener(text: string): { readonly host: string | undefined; readonly port: number } | undefined {
  const [, host, port = ''] = /^(?:(\[[0-9a-fA-F:.]+\]|[0-9.]+):)?(\d{1,5})$/.exec(text) ?? [];
  const value = wholeNumber(port, 0, 65_535);
  if (value === undefined) return undefined;
  const address = host?.replace(/^\[|\]$/g, '');
  return address === undefined || isIP(address) === (host?.startsWith('[') === true ? 6 : 4) ? { host: address, port: value } : undefined;
}

function addresses(text: string): readonly string[] | undefined {
  return parseControlPlanes(text)?.map(({ host, port }) => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`);
}

function hosts(text: string): readonly string[] | undefined {
  const list = text.split(',').map((host) => host.trim());
  return list.every((host) => isIP(host) !== 0) ? list : undefined;
}
