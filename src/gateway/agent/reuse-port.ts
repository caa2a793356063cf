/** Systems on which several sockets of one process share a port and the kernel spreads connections (documentation of `net.Server.listen`). */
const SYSTEMS: ReadonlySet<string> = new Set(['linux', 'freebsd', 'sunos', 'aix']);

/** Whether several workers can listen on one port by themselves. */
export function reusePortIsSupported(platform: string = process.platform): boolean {
  return SYSTEMS.has(platform);
}
