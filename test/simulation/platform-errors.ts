/** Errors as the platform marks them: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */

/** The object was reset: a call may have been executed. */
export function resetError(message: string): Error {
  return Object.assign(new Error(`simulated: ${message}`), { durableObjectReset: true, retryable: true });
}

/** The connection was cut: a call may have been executed. */
export function lostError(): Error {
  return Object.assign(new Error('simulated: the network connection was lost'), { retryable: true });
}

/** Whether the code has logged what a fault has thrown. */
export function isSimulated(message: string): boolean {
  return message.includes('simulated: ');
}
