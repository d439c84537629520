/** Errors of the client. */

/** An answer other than yes or no: a wrong request, a missing right, a fault of the service. */
export class StateServiceError extends Error {
  override readonly name = 'StateServiceError';
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** Reads problem details (RFC 9457); of any other body, only the status. */
export async function errorOf(response: Response): Promise<StateServiceError> {
  const text = await response.text();
  try {
    const { type, detail }: { type?: string; detail?: string } = JSON.parse(text);
    if (type !== undefined && detail !== undefined) {
      return new StateServiceError(response.status, type.slice(type.lastIndexOf(':') + 1), detail);
    }
  } catch {
    // A proxy's page, or an empty body.
  }
  return new StateServiceError(response.status, 'unknown', `the answer was ${response.status}`);
}
