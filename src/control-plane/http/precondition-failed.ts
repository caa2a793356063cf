import { PortcullisError } from '../../errors/index.ts';

/** 412: a condition of the request does not hold. The answer's `ETag` names what is there instead, so that the client can look at that. */
export class PreconditionFailed extends PortcullisError {
  /** Undefined when the resource does not exist. */
  readonly currentTag: string | undefined;

  constructor(publicMessage: string, currentTag: string | undefined) {
    super('admin_precondition_failed', { publicMessage });
    this.currentTag = currentTag;
  }
}
