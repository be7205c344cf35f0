// A device as an x402 merchant: its local endpoint on a real socket, read and answered by the core as in the firmware. Each
// 402 says in `X-Payment` what it costs.

import { createServer, type Server, type Socket } from 'node:net';
import { type HttpFault, type HttpRequest, HttpRequestReader } from '../../core/intake/http-request.ts';
import { decisionResponse, httpResponse, noPaymentResponse } from '../../core/intake/http-response.ts';
import type { VirtualCharger } from '../virtual-device/virtual-charger.ts';
import { type PaymentTerms, termsHeader } from './terms.ts';

/** See the head of the file. */
export class DeviceMerchant {
  readonly #device: VirtualCharger;
  readonly #terms: PaymentTerms;
  readonly #server: Server;

  /** @param terms what every request costs, and who is paid */
  constructor(device: VirtualCharger, terms: PaymentTerms) {
    this.#device = device;
    this.#terms = terms;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Begins to serve. @returns where payments go */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as { readonly port: number };
    return `http://127.0.0.1:${port}/pay`;
  }

  /** Ends serving. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const reader = new HttpRequestReader(performance.now());
    let done = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const request = reader.push(new Uint8Array(chunk), performance.now());
      if (request === undefined || done) return;
      done = true;
      void this.#answer(request).then((bytes) => socket.end(bytes));
    });
  }

  async #answer(request: HttpRequest | HttpFault): Promise<Uint8Array> {
    if ('status' in request) return httpResponse(request.status, { error: request.detail });
    if (request.target !== '/pay') return httpResponse(404, { error: 'there is only /pay' });
    const { presentation } = request;
    if (presentation === undefined) return this.#refused(noPaymentResponse());
    if ('ok' in presentation) return this.#refused(decisionResponse(presentation));
    const decision = await this.#device.present(presentation, { amountMinor: this.#terms.amount });
    return decision.ok ? decisionResponse(decision) : this.#refused(decisionResponse(decision));
  }

  /** The 402 with one more header field, behind its first line. */
  #refused(answer: Uint8Array): Uint8Array {
    const text = Buffer.from(answer).toString();
    return Buffer.from(text.replace('\r\n', `\r\nX-Payment: ${termsHeader(this.#terms)}\r\n`));
  }
}
