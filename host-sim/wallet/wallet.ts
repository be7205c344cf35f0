// A wallet's library, as the package gives it away: sessions under a grant, what they sign, and why they do not.
//
//   import { createSession } from 'mpcp-embedded/wallet';

export { DatabaseProblem } from '../sqlite/database.ts';
export { FileInUse } from '../sqlite/sole-use.ts';
export {
  MpcpBudgetExceededError,
  MpcpGrantRevokedError,
  MpcpPurposeNotAllowedError,
  WalletError,
} from './errors.ts';
export { presentationBytes, presentationHeader, type WalletPresentation } from './presentation.ts';
export {
  createSession,
  type PaymentTerms,
  type SbaRequest,
  type SignedPayment,
  type SpaRequest,
  type WalletSession,
} from './session.ts';
export type { SessionOptions } from './session-options.ts';
export { FileSpendStorage, MemorySpendStorage, type SpendAccount, type SpendStorage } from './spend-storage.ts';
