/** The WebSocket over which the client waits for long: in Node, in Workers, and in browsers without a token. */

export interface SocketOptions {
  readonly token?: string | undefined;
  /** A `fetch` other than the platform's own. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/** What has ended a wait for news: the state was entered, something else has changed, or nothing has. */
export type News = 'entered' | 'changed' | 'none' | 'deleted' | 'lost';

/**
 * Whether this platform can open a WebSocket with these options. A browser's WebSocket has no headers, so it cannot send
 * a token. A Worker opens one with `fetch`; elsewhere, another `fetch` would be bypassed.
 */
export function canOpen({ token, fetch }: SocketOptions): boolean {
  if (IS_WORKER) return true;
  if (fetch !== undefined || globalThis.WebSocket === undefined) return false;
  return token === undefined || IS_NODE;
}

const IS_WORKER = 'WebSocketPair' in globalThis;
const IS_NODE = globalThis.process?.versions?.node !== undefined;

/**
 * Opens the WebSocket of a machine.
 *
 * @param url of the watch, with `http:` or `https:`.
 * @returns undefined if it cannot be opened now.
 */
export async function openSocket(
  url: string,
  options: SocketOptions,
  signal: AbortSignal | undefined,
): Promise<MachineSocket | undefined> {
  let socket: WebSocket | undefined;
  try {
    socket = IS_WORKER ? await upgrade(url, options) : connect(url, options);
  } catch {
    return undefined;
  }
  if (socket === undefined) return undefined;
  const opened = new MachineSocket(socket, signal);
  if (await opened.isOpen()) return opened;
  opened.close();
  return undefined;
}

async function upgrade(
  url: string,
  { token, fetch = (request: Request) => globalThis.fetch(request) }: SocketOptions,
): Promise<WebSocket | undefined> {
  const response = await fetch(
    new Request(url, { headers: { Upgrade: 'websocket', ...authorization(token) } }),
  );
  const { webSocket } = response;
  if (webSocket === null) await response.body?.cancel();
  else webSocket.accept();
  return webSocket ?? undefined;
}

function connect(url: string, { token }: SocketOptions): WebSocket {
  const address = url.replace(/^http/, 'ws');
  if (token === undefined) return new WebSocket(address);
  // Node's WebSocket takes headers: https://undici.nodejs.org/#/docs/api/WebSocket
  return Reflect.construct(WebSocket, [address, { headers: authorization(token) }]);
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** An entry of the history, as far as a wait looks at it. */
interface Entry {
  readonly cause?: string;
  readonly entered?: readonly string[];
}

/** The WebSocket of one machine. It gathers what has happened since the last `next`. */
export class MachineSocket {
  readonly #socket: WebSocket;
  readonly #signal: AbortSignal | undefined;
  #isLost = false;
  #isDeleted = false;
  #hasChanged = false;
  /** The states that were entered. */
  readonly #entered = new Set<string>();
  /** When something came last, and when the next `ping` is sent, ms since the epoch. */
  #heard = Date.now();
  #pingAt = Date.now() + PING_EVERY;
  #wake: (() => void) | undefined;

  constructor(socket: WebSocket, signal: AbortSignal | undefined) {
    this.#socket = socket;
    this.#signal = signal;
    socket.addEventListener('open', () => this.#wake?.());
    socket.addEventListener('message', ({ data }) => this.#take(String(data)));
    socket.addEventListener('close', ({ reason }) => {
      this.#isDeleted = reason === DELETED;
      this.#lose();
    });
    socket.addEventListener('error', this.#lose);
    signal?.addEventListener('abort', this.#lose);
  }

  /** Waits until it is open. @returns false if it does not open. */
  async isOpen(): Promise<boolean> {
    const until = Date.now() + OPEN_WITHIN;
    while (this.#socket.readyState === CONNECTING && !this.#isLost && Date.now() < until) {
      await this.#event(until - Date.now());
    }
    if (this.#socket.readyState !== OPEN || this.#isLost) return false;
    // workerd ends the connection of a WebSocket that the service closes only if its client has sent something before.
    this.#ping(Date.now());
    return true;
  }

  /**
   * Waits for news since the last call.
   *
   * @param state the state that is waited for, by its full name; undefined for any change.
   * @param ms how long.
   */
  async next(state: string | undefined, ms: number): Promise<News> {
    const until = Date.now() + ms;
    for (;;) {
      if (state !== undefined && this.#entered.has(state)) return 'entered';
      if (this.#isDeleted) return 'deleted';
      const now = Date.now();
      if (this.#isLost || now - this.#heard > PING_EVERY + PONG_WITHIN) return 'lost';
      if (this.#hasChanged) {
        this.#hasChanged = false;
        this.#entered.clear();
        return 'changed';
      }
      if (now >= until) return 'none';
      if (now >= this.#pingAt) this.#ping(now);
      await this.#event(Math.min(until, this.#pingAt, this.#heard + PING_EVERY + PONG_WITHIN + 1) - now);
    }
  }

  /** Waits for the news that a state was entered, at most `ms`. */
  async hasEntered(state: string, ms: number): Promise<boolean> {
    const until = Date.now() + ms;
    for (;;) {
      const news = await this.next(state, until - Date.now());
      if (news === 'entered') return true;
      if (news !== 'changed') return false;
    }
  }

  close(): void {
    this.#isLost = true;
    // A wait opens many WebSockets in its time, and its signal outlives each.
    this.#signal?.removeEventListener('abort', this.#lose);
    this.#socket.close();
  }

  /** @param now ms since the epoch. */
  #ping(now: number): void {
    this.#socket.send('ping');
    this.#pingAt = now + PING_EVERY;
  }

  #take(text: string): void {
    this.#heard = Date.now();
    if (text === 'pong') return;
    const { cause = '', entered = [] }: Entry = JSON.parse(text);
    for (const state of entered) this.#entered.add(state);
    // What is only counted makes no state current.
    if (entered.length > 0 || !COUNTED.has(cause)) this.#hasChanged = true;
    this.#wake?.();
  }

  readonly #lose = () => {
    this.#isLost = true;
    this.#wake?.();
  };

  /** Waits until something happens, or for `ms`. */
  #event(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}

/** States of a WebSocket: https://websockets.spec.whatwg.org/#dom-websocket-readystate */
const CONNECTING = 0;
const OPEN = 1;

/** How the service closes the WebSockets of a machine that was deleted. */
const DELETED = 'the machine was deleted';

/** Causes of entries that may change no state. */
const COUNTED: ReadonlySet<string> = new Set(['update', 'claim', 'release', 'lease-expired', 'refused']);

/** How long a WebSocket may take to open, in ms. */
const OPEN_WITHIN = 10_000;

/**
 * How often it sends `ping`, and within which time something must come, in ms: proxies cut what is silent for a minute, and
 * a connection that is cut without notice is found. The platform answers, and the object sleeps on.
 */
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
