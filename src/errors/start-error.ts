/**
 * A start that cannot succeed until a person changes something: a port in use, an unwritable folder, a newer data folder.
 * Its message is one sentence for that person; the command line prints it without a stack and exits with code 1.
 */
export class StartError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}
