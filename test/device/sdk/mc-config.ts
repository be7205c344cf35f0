// Stands for what a manifest configures: two lines, and what a test says of the network.

interface Network {
  readonly port?: number;
  readonly broker?: { readonly host: string; readonly port: number; readonly topic: string };
}

const mpcp: {
  readonly log: { readonly port: number; readonly transmit: number; readonly baud: number };
  readonly reader: {
    readonly port: number;
    readonly receive: number;
    readonly transmit: number;
    readonly baud: number;
  };
  network?: Network;
} = {
  log: { port: 0, transmit: 1, baud: 115_200 },
  reader: { port: 1, receive: 16, transmit: 17, baud: 115_200 },
};

export default { mpcp };
