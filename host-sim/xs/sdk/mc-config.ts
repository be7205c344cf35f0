// Stands for `mc/config` inside XS: the lines of the manifests, and a local endpoint, which they leave out.

export default {
  mpcp: {
    log: { port: 0, transmit: 1, baud: 115_200 },
    reader: { port: 1, receive: 16, transmit: 17, baud: 115_200 },
    network: { port: 80 },
  },
};
