/** A configuration that this worker cannot serve; the revision that brought it is refused and the one before stays in force. */
export class CompileError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'CompileError';
  }
}
