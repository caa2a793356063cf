/** Who is at the other end of a connection without a socket. */
export const TEST_CLIENT = {
  remoteAddress: '127.0.0.1',
  remotePort: 1,
  localPort: 1,
  localAddress: () => '10.0.0.1',
  encrypted: false,
  httpVersion: 1 as const,
  tls: undefined,
  context: undefined,
};
