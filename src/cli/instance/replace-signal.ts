/** Listens for SIGUSR2, which asks for a fresh gateway process in place of the running one. Windows has no such signal. */
export function listenForReplace(onReplace: () => void): void {
  if (process.platform !== 'win32') process.on('SIGUSR2', onReplace);
}
