/** Says why an expression cannot be compiled. Thrown and caught in this folder only. */
export class InvalidExpression extends Error {}
