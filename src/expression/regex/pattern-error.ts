/** Says why a pattern cannot be used. Thrown and caught in this folder and by `compileRegex` only. */
export class PatternError extends Error {}
