/** Pages as a person sees them, in a real Chromium, and what they do that they should not. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

let browser: Browser | undefined;

/** A page, and everything about it that nobody should ever see. */
export interface Watched {
  readonly page: Page;
  /** Errors on the console, violations of the policy among them; faults of the script; requests elsewhere. */
  readonly faults: string[];
}

/** @param origin the only one that may be asked. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin, host } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:'))
      faults.push(request.url());
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== host) faults.push(socket.url());
  });
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, faults };
}

/** For `afterAll`. */
export async function closeBrowser(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

/** Waits until the page follows its machine. */
export async function whenLive({ page }: Watched): Promise<void> {
  await page.locator('#connection[data-state="live"]').waitFor();
}

/** The state that is lit in the drawing. */
export function lit(page: Page, state: string) {
  return page.locator(`.state.current[data-state="${state}"]`);
}
