/** Why an engine could not be installed, found or removed; the message ends with the next thing to do. */
export type InstallErrorCode =
  'no-python' | 'no-pip' | 'no-space' | 'platform' | 'download' | 'wheel' | 'aborted' | 'unknown-engine';

/** An installation that failed; nothing of it is left but what a next run can use. */
export class InstallError extends Error {
  constructor(
    readonly code: InstallErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'InstallError';
  }
}
