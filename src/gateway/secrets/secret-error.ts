/** A secret that could not be had. The message holds no secret, and nothing that a manager answered. */
export class SecretError extends Error {
  /** `gone`: the manager says that there is no such secret. `failed`: it could not be asked, or did not say. */
  readonly outcome: 'gone' | 'failed';

  constructor(outcome: 'gone' | 'failed', message: string) {
    super(message);
    this.name = 'SecretError';
    this.outcome = outcome;
  }
}
