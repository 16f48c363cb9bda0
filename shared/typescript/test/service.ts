// A live service and a small site for it to scrape: both on loopback, both ended with the tests.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../../../target/debug/harvestman', import.meta.url));

/** The program, built before the tests. */
function program(): string {
  const path = process.env['HARVESTMAN_BIN'] ?? BUILT;
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: run "cargo build", or name the program in HARVESTMAN_BIN`);
  }
  return path;
}

/** What was posted, byte for byte. */
export interface Posted {
  headers: Record<string, string>;
  body: string;
}

/** Pages by path: `/slow` answers only when `release` is called. Keeps what is posted to it. */
export class Site {
  readonly #server: Server;
  readonly #posted: Posted[] = [];
  #wake: () => void = () => {};
  release: () => void = () => {};

  private constructor() {
    const released = new Promise<void>((resolve) => (this.release = resolve));
    this.#server = createServer((request, response) => {
      const page = `<html><head><title>Page ${request.url}</title></head><body><main><h1>Tea</h1>
        <p>A pot of tea for two, with milk.</p><span class="price">4.50</span></main></body></html>`;
      const answer = () => {
        if (request.url?.startsWith('/missing')) response.statusCode = 404;
        response.setHeader('content-type', 'text/html; charset=utf-8');
        response.end(page);
      };
      if (request.method === 'POST') void this.#keep(request, () => response.end());
      else if (request.url?.startsWith('/slow')) void released.then(answer);
      else answer();
    });
  }

  static async start(): Promise<Site> {
    const site = new Site();
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  async #keep(request: IncomingMessage, answer: () => void): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    this.#posted.push({ headers: Object.fromEntries(headers), body: Buffer.concat(parts).toString() });
    answer();
    this.#wake();
  }

  /** Waits until so much was posted. */
  async posted(count: number): Promise<Posted[]> {
    while (this.#posted.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#posted;
  }

  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  url(path: string): string {
    return `http://${this.authority}${path}`;
  }

  stop(): void {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export class Service {
  private constructor(
    readonly url: string,
    readonly site: Site,
    readonly process: ChildProcess,
  ) {}

  static async start(...flags: string[]): Promise<Service> {
    const site = await Site.start();
    const allowed = `--allow-private-targets=${site.authority}`;
    const process = spawn(program(), ['serve', '--in-memory', '--port', '0', allowed, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: process.stdout! })) {
      const url = /^Harvestman listens on (http\S+)$/.exec(line)?.[1];
      if (url) {
        process.stdout!.resume();
        return new Service(url, site, process);
      }
    }
    site.stop();
    throw new Error('the service has not started');
  }

  async stop(): Promise<void> {
    this.site.stop();
    if (this.process.exitCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await ended;
    }
  }
}
