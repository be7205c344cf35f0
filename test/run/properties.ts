// How long a property may be tried in a test. Without a limit one that fails may be shrunk for hours, and nobody hears of it.

import { configureGlobal } from 'fast-check';

configureGlobal({ interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true });
