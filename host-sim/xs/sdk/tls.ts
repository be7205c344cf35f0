// Stands for the SDK's modules of TLS inside XS, which has none: servers are reached in the clear, on loopback, and what would look
// at a certificate is never called.

export default class NoTls {
  constructor() {
    throw new Error('there is no TLS here');
  }
}
