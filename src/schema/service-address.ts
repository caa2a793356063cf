import { parseNodeHost } from './host-name.ts';

/** Where a service is looked up by DNS. */
export interface ServiceAddress {
  readonly host: string;
  /** Undefined: the records', or the scheme's own. */
  readonly port: number | undefined;
}

const WITH_PORT = /^(?<host>.*?)(?::(?<port>\d{1,5}))?$/;
/** Parts of a name that a service may begin with, as in `_http._tcp.example.com`. */
const SERVICE_PARTS = /^(?:_[0-9a-zA-Z-]{1,62}\.)+/;

/** Reads a `service_name` for DNS, `name` or `name:port`; undefined where it is neither. */
export function parseServiceAddress(text: string): ServiceAddress | undefined {
  const { host = '', port } = WITH_PORT.exec(text)?.groups ?? {};
  const rest = host.replace(SERVICE_PARTS, '');
  if (rest === '' || parseNodeHost(rest) === undefined) return undefined;
  if (port === undefined) return { host, port: undefined };
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? { host, port: number } : undefined;
}
