/** A scenario needs something that this machine does not have: it is skipped aloud, or failed where skipping is forbidden. */
export class NotPossibleHere extends Error {}
